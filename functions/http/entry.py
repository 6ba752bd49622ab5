"""A request's way into the registry: closed until its caller is known and allowed in."""

from collections.abc import Callable

from fastapi import Request

from functions.http.dependencies import authenticate
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from shared.models.callers import Caller
from shared.models.registrations import Origin


class Entry:
    """What a guarded route gets of the registry, and of whoever asks.

    Opening it builds the registry and asks the database, so it belongs where blocking is allowed.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._registry: Registry | None = None
        self._caller: Caller | None = None
        self.was_tried = False
        """Whether somebody looked at the caller's credential yet, whatever came of it."""

    def open(self, scope: Scope) -> None:
        """Let the caller in; raises KeyRejected or ScopeMissing."""
        self.was_tried = True
        build: Callable[[], Registry] = self._request.app.state.registry
        registry = build()
        caller = authenticate(registry, self._request)
        caller.require(scope)
        self._registry, self._caller = registry, caller

    @property
    def registry(self) -> Registry:
        assert self._registry is not None, "the entry is closed"  # noqa: S101 - a fault of ours
        return self._registry

    @property
    def caller(self) -> Caller:
        assert self._caller is not None, "the entry is closed"  # noqa: S101 - likewise
        return self._caller

    @property
    def origin(self) -> Origin:
        """Who asks, for the audit trail."""
        return Origin(self.caller.actor, self._request.state.request_id)

    @property
    def request(self) -> Request:
        return self._request


Entrance = Entry
"""What the parameter `entry` of a guarded endpoint is declared as."""
