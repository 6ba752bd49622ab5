"""What routes ask for: the registry, and a caller who may do this."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from functions.http.pointers import json_pointer
from shared.bootstrap import Registry
from shared.errors import InvalidInput
from shared.models.api_keys import Scope
from shared.models.callers import Caller

KEY_HEADER = "X-API-Key"
_READING = frozenset({"GET", "HEAD"})
_KEY_SCHEME = APIKeyHeader(name=KEY_HEADER, auto_error=False)
_TOKEN_SCHEME = HTTPBearer(bearerFormat="JWT", auto_error=False)


async def _registry_provider(request: Request) -> Callable[[], Registry]:
    return request.app.state.registry


RegistryProvider = Annotated[Callable[[], Registry], Depends(_registry_provider)]
"""Builds the registry on the first call: to be called where blocking is allowed."""


def authenticate(registry: Registry, request: Request) -> Caller:
    """Who sent this request; raises KeyRejected. Blocks: the database is asked."""
    key = _header(request, KEY_HEADER)
    authorization = _header(request, "Authorization")
    token = None if authorization is None else _bearer_token(authorization)
    return registry.access.authenticate(key, token)


def presented_caller(
    registry: RegistryProvider,
    request: Request,
    # Only there to tell the specification: what they read of a header hides whether it was sent.
    _key: Annotated[object, Security(_KEY_SCHEME)],
    _token: Annotated[object, Security(_TOKEN_SCHEME)],
) -> Caller:
    """The same, as a dependency."""
    return authenticate(registry(), request)


PresentedCaller = Annotated[Caller, Depends(presented_caller)]


async def admin_access(request: Request, caller: PresentedCaller) -> None:
    """Looking needs `read`, changing needs `admin`; raises KeyRejected or ScopeMissing."""
    caller.require(Scope.READ if request.method in _READING else Scope.ADMIN)


def _header(request: Request, name: str) -> str | None:
    """A header as a host joins it that was sent it twice: no credential has this form."""
    given = request.headers.getlist(name)
    return ", ".join(given) if given else None


def _bearer_token(authorization: str) -> str:
    """The token (RFC 6750, section 2.1); of another scheme the empty text, which is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else ""


async def unrepeated_parameters(request: Request) -> None:
    """Refuse a parameter given twice: whichever value was taken, it would be a guess."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if times > 1:
            raise InvalidInput("A parameter is given more than once.", json_pointer(name))
