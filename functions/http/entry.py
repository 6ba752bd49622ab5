"""A request's way into the registry: closed until its caller is known and allowed in."""

from collections.abc import Callable

from fastapi import Request

from functions.http.dependencies import presented_credentials
from shared.bootstrap import Registry
from shared.errors import RegistryError
from shared.models.api_keys import Scope
from shared.models.callers import Caller
from shared.models.registrations import Origin


class Entry:
    """What a guarded route gets of the registry, and of whoever asks.

    Opening it builds the registry and asks the database, so it belongs where blocking is allowed.
    """

    def __init__(self, request: Request, scope: Scope) -> None:
        self.request = request
        self.presented = presented_credentials(request)
        """Key and token; None stands for one that was not presented."""
        self._scope = scope
        self._registry: Registry | None = None
        self._caller: Caller | None = None
        self.actor: str | None = None
        """Whose credential this is, allowed in or not; None where nobody knows."""
        self.was_tried = False
        """Whether somebody looked at the caller's credential yet, whatever came of it."""

    def open(self) -> None:
        """Let the caller in; raises KeyRejected or ScopeMissing."""
        self.was_tried = True
        registry = self.build()
        error = self.admit(registry, registry.access.authenticate(*self.presented))
        if error is not None:
            raise error

    def admit(self, registry: Registry, caller: Caller | RegistryError) -> RegistryError | None:
        """Let in a caller whose credential was looked at, or say why not."""
        self.was_tried = True
        if isinstance(caller, RegistryError):
            return caller
        self.actor = caller.actor
        try:
            caller.require(self._scope)
        except RegistryError as error:
            return error
        self._registry, self._caller = registry, caller
        return None

    def build(self) -> Registry:
        """The registry, for whoever lets callers in."""
        build: Callable[[], Registry] = self.request.app.state.registry
        return build()

    @property
    def has_token(self) -> bool:
        return self.presented[1] is not None

    @property
    def is_open(self) -> bool:
        return self._caller is not None

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
        return Origin(self.caller.actor, self.request.state.request_id)


Entrance = Entry
"""What the parameter `entry` of a guarded endpoint is declared as."""
