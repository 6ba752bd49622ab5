"""What routes ask for: the registry, and who is calling."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from shared.bootstrap import Registry

KEY_HEADER = "X-API-Key"


async def _registry_provider(request: Request) -> Callable[[], Registry]:
    return request.app.state.registry


RegistryProvider = Annotated[Callable[[], Registry], Depends(_registry_provider)]
"""Builds the registry on the first call: to be called where blocking is allowed."""


def presented_credentials(request: Request) -> tuple[str | None, str | None]:
    """API key and bearer token of a request; None stands for one that was not presented."""
    authorization = _header(request, "Authorization")
    token = None if authorization is None else _bearer_token(authorization)
    return _header(request, KEY_HEADER), token


def _header(request: Request, name: str) -> str | None:
    """A header as a host joins it that was sent it twice: no credential has this form."""
    given = request.headers.getlist(name)
    return ", ".join(given) if given else None


def _bearer_token(authorization: str) -> str:
    """The token (RFC 6750, section 2.1); of another scheme the empty text, which is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else ""
