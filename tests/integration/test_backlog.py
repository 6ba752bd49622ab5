"""A queue holds as much as keeps it busy; the rest waits in its table."""

from collections.abc import Callable
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.models.ids import new_id
from shared.services.backlog import DEEPEST, Backlog
from shared.services.policy_queue import ActionRequest
from tests.integration.clock import TickingClock
from tests.integration.failing import OwnQueue

PAGE = DEEPEST // 2


def pages_of(rows: list[int]) -> Callable[..., list[ActionRequest]]:
    """Who takes of so many rows, a message each."""

    def take(
        connection: Connection[DictRow], at: datetime, again_at: datetime, most: int
    ) -> list[ActionRequest]:
        taken = [rows.pop() for _ in range(min(len(rows), PAGE, most))]
        return [ActionRequest(artifact_ids=[new_id()]) for _ in taken]

    return take


def test_a_queue_is_filled_up_and_no_further(
    database: Database, own_queue: OwnQueue, clock: TickingClock
) -> None:
    rows = list(range(DEEPEST + 1))
    backlog = Backlog(database, own_queue, pages_of(rows), clock)
    assert (backlog.fill(), len(rows)) == (DEEPEST, 1)
    assert (backlog.fill(), len(rows)) == (0, 1)
    [message] = own_queue.receive(1, 60)
    own_queue.delete(message)
    assert (backlog.fill(), len(rows)) == (1, 0)


def test_more_is_looked_for_until_the_queue_is_full_or_nothing_is_found(
    database: Database, own_queue: OwnQueue, clock: TickingClock
) -> None:
    rows: list[int] = []
    found = iter([2, 1, 0])

    def find_more() -> bool:
        rows.extend(range(next(found)))
        return bool(rows)

    backlog = Backlog(database, own_queue, pages_of(rows), clock)
    assert backlog.fill(find_more) == 3
    rows.extend(range(DEEPEST))
    assert backlog.fill(find_more) == DEEPEST, "and there was no room to look for more"
