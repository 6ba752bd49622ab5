"""Tells the audit trail of what was refused or failed, and of reads that it is to know of."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast

from pydantic import JsonValue

from shared.database.pool import Database
from shared.errors import DatabaseUnavailable, RegistryError
from shared.models.attempts import Attempt, Doing
from shared.models.registrations import Origin
from shared.repositories.attempts import AttemptRepository
from shared.services.redaction import storable_json, storable_text
from shared.services.set_aside import reason_of

_WAITING_SECONDS = 1.0
_LONGEST_ERROR = 2000
_LONGEST_TEXT = 500
_LONGEST_ACTOR = 255

_LOGGER = logging.getLogger(__name__)


class Attempts:
    """Writes events on a connection of its own: what they tell of was undone, or changed nothing.

    As far as that is possible: whoever asks neither waits long for it nor hears that it failed.
    What the trail misses then, the log tells.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def record(self, attempt: Attempt) -> None:
        """Write an event, without secrets. Raises nothing, and takes about two seconds at most."""
        kept = _storable(attempt)
        try:
            with (
                self._database.connection(_WAITING_SECONDS) as connection,
                connection.transaction(),
            ):
                AttemptRepository(connection).record(kept, self._clock())
        except Exception:
            _LOGGER.warning(
                "attempt not recorded: operation=%s actor=%s request_id=%s error=%s",
                kept.doing.operation,
                kept.origin.actor,
                kept.origin.request_id,
                kept.error,
                exc_info=True,
            )

    def record_fault(
        self,
        doing: Doing,
        origin: Origin,
        fault: Exception,
        details: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """The same of an exception, unless it says that there is nothing to write it to."""
        if not isinstance(fault, DatabaseUnavailable):
            self.record(Attempt(doing, origin, error_of(fault), details=details or {}))


def error_of(fault: Exception) -> str:
    """What the trail tells of an exception: of one that nobody foresaw, its kind alone."""
    if isinstance(fault, RegistryError):
        return f"{reason_of(type(fault)).replace('_', '-')}: {fault.summary}"
    return f"internal-error: {type(fault).__name__}"


def _storable(attempt: Attempt) -> Attempt:
    error = None if attempt.error is None else storable_text(attempt.error, _LONGEST_ERROR)
    actor = storable_text(attempt.origin.actor, _LONGEST_ACTOR)
    details = storable_json(dict(attempt.details), _LONGEST_TEXT)
    return replace(
        attempt,
        origin=replace(attempt.origin, actor=actor),
        error=error,
        details=cast("dict[str, JsonValue]", details),
    )
