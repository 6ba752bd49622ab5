"""What routes ask for: the registry, and a caller who may do this."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from functions.http.pointers import json_pointer
from shared.bootstrap import Registry
from shared.errors import InvalidInput
from shared.models.api_keys import ApiKey, Scope

_READING = frozenset({"GET", "HEAD"})
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)


async def _registry_provider(request: Request) -> Callable[[], Registry]:
    return request.app.state.registry


RegistryProvider = Annotated[Callable[[], Registry], Depends(_registry_provider)]
"""Builds the registry on the first call: to be called where blocking is allowed."""


def presented_key(
    registry: RegistryProvider, text: Annotated[str | None, Security(_HEADER)]
) -> ApiKey:
    """The caller's key; raises KeyRejected."""
    return registry().keys.authenticate(text)


async def admin_access(request: Request, key: Annotated[ApiKey, Depends(presented_key)]) -> None:
    """Looking needs `read`, changing needs `admin`; raises KeyRejected or ScopeMissing."""
    key.require(Scope.READ if request.method in _READING else Scope.ADMIN)


async def unrepeated_parameters(request: Request) -> None:
    """Refuse a parameter given twice: whichever value was taken, it would be a guess."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if times > 1:
            raise InvalidInput("A parameter is given more than once.", json_pointer(name))
