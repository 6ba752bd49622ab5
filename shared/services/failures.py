"""What operators do about messages that were set aside."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from shared.database.pool import Database
from shared.errors import FailureEnded, FailureNotFound, InvalidInput, NotReplayable
from shared.models.cursors import name_list, read_place, write_place
from shared.models.registrations import Origin
from shared.models.set_aside import (
    Failure,
    FailureDetail,
    FailureFilter,
    FailurePage,
    FailureState,
    ReplaysAsked,
    replay_request,
)
from shared.repositories.set_aside import SetAsideRepository
from shared.services.asked import MAXIMUM_PAGE, require_page
from shared.storage.queues import StorageQueue


class FailureService:
    """Lists failures and ends them. No record is ever removed.

    A replay is a message on the queue that the failure came from: whatever takes that queue's
    messages, with all the time it needs, takes this one again. See `SetAsideService.take`.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        queues: Mapping[str, StorageQueue],
    ) -> None:
        self._database = database
        self._clock = clock
        self._queues = queues

    def list_failures(
        self, wanted: FailureFilter, *, limit: int = 100, cursor: str | None = None
    ) -> FailurePage:
        """A page of the failures that are meant, newest first.

        Raises InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another list.
        """
        require_page(limit)
        name = name_list("failures", wanted.state, wanted.source, wanted.reason)
        before = None if cursor is None else read_place(name, cursor)
        with self._database.connection() as connection:
            found = SetAsideRepository(connection).page(wanted, before, limit + 1)
        if len(found) <= limit:
            return FailurePage(failures=found, next=None)
        last = found[limit - 1]
        following = write_place(name, last.set_aside_at, last.set_aside_id)
        return FailurePage(failures=found[:limit], next=following)

    def get(self, set_aside_id: UUID) -> FailureDetail:
        """One failure with the message's body; raises FailureNotFound."""
        with self._database.connection() as connection:
            return _required(SetAsideRepository(connection), set_aside_id)

    def replay(self, set_aside_id: UUID, origin: Origin) -> Failure:
        """Have a message taken once more; one that was replayed is left alone.

        Asking again is of no harm: a replay of what has ended does nothing. Raises FailureNotFound,
        FailureEnded for what was discarded, NotReplayable, StorageUnavailable.
        """
        failure = self.get(set_aside_id).without_body
        if failure.state is FailureState.REPLAYED:
            return failure
        if failure.state is FailureState.DISCARDED:
            raise FailureEnded("The message was discarded.")
        if failure.source not in self._queues:
            raise NotReplayable
        self._ask_for([failure], origin)
        return self.get(set_aside_id).without_body

    def replay_all(
        self,
        wanted: FailureFilter,
        origin: Origin,
        *,
        limit: int = MAXIMUM_PAGE,
        cursor: str | None = None,
    ) -> ReplaysAsked:
        """Have a page of the failures that are meant taken once more.

        Raises InvalidInput as `list_failures` does, and for a state that failures end in;
        StorageUnavailable, where some may have been asked for already.
        """
        if wanted.state.is_end:
            raise InvalidInput("What has ended is not replayed.", "/state")
        page = self.list_failures(wanted, limit=limit, cursor=cursor)
        replayable = [each for each in page.failures if each.source in self._queues]
        self._ask_for(replayable, origin)
        skipped = len(page.failures) - len(replayable)
        return ReplaysAsked(count=len(replayable), skipped=skipped, next=page.next)

    def discard(self, set_aside_id: UUID, origin: Origin) -> Failure:
        """Close a message that nobody needs; idempotent. Its record stays.

        A replay that has not begun by then does nothing. Raises FailureNotFound, and FailureEnded
        for a message that was replayed.
        """
        now = self._clock()
        with self._database.connection() as connection, connection.transaction():
            messages = SetAsideRepository(connection)
            if messages.discard(set_aside_id, now, origin.actor):
                messages.record_events("message_discarded", [set_aside_id], origin, now)
            failure = _required(messages, set_aside_id).without_body
        if failure.state is not FailureState.DISCARDED:
            raise FailureEnded("The message was replayed.")
        return failure

    def _ask_for(self, failures: list[Failure], origin: Origin) -> None:
        # Sent first: whoever is killed in between has said nothing that does not come true.
        for failure in failures:
            self._queues[failure.source].send(replay_request(failure.set_aside_id))
        with self._database.connection() as connection, connection.transaction():
            messages = SetAsideRepository(connection)
            messages.mark_asked(failures)
            asked_for = [failure.set_aside_id for failure in failures]
            messages.record_events("message_replay_asked", asked_for, origin, self._clock())


def _required(messages: SetAsideRepository, set_aside_id: UUID) -> FailureDetail:
    failure = messages.get(set_aside_id)
    if failure is None:
        raise FailureNotFound
    return failure
