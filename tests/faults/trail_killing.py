"""Points at which whoever moves events into the audit trail can kill itself: as in `killing`."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from azure.data.tables import TableClient

from shared.database.pool import Database
from shared.repositories.trail import TrailRepository
from shared.services.trail_relay import TrailRelay
from shared.storage.audit_table import AuditTable
from tests.faults.killing import die_after, die_before, die_while, die_while_committing
from tests.faults.places import POOL_SIZE, Place

Points = dict[str, Callable[[], None]]

POINTS: Points = {
    "before locking the end": partial(die_before, TrailRepository, "take_end"),
    "after locking the end": partial(die_after, TrailRepository, "take_end"),
    "after reading events": partial(die_after, TrailRepository, "next_events"),
    "before numbering": partial(die_before, TrailRepository, "number_events"),
    "while numbering": partial(die_while, TrailRepository, "number_events"),
    "after numbering": partial(die_after, TrailRepository, "number_events"),
    "while committing numbers": partial(die_while_committing, TrailRepository, "number_events"),
    "after committing numbers": partial(die_after, TrailRelay, "number_some"),
    "before keeping others away": partial(die_before, TrailRepository, "begin_writing"),
    "after keeping others away": partial(die_after, TrailRepository, "begin_writing"),
    "before inserting": partial(die_before, AuditTable, "insert"),
    "before a batch": partial(die_before, TableClient, "submit_transaction"),
    "after a batch": partial(die_after, TableClient, "submit_transaction"),
    "before a single insert": partial(die_before, TableClient, "create_entity"),
    "after a single insert": partial(die_after, TableClient, "create_entity"),
    "after inserting": partial(die_after, AuditTable, "insert"),
    "before forgetting": partial(die_before, TrailRepository, "forget_waiting"),
    "while forgetting": partial(die_while, TrailRepository, "forget_waiting"),
    "after forgetting": partial(die_after, TrailRepository, "forget_waiting"),
    "after letting others in": partial(die_after, TrailRepository, "end_writing"),
}


def relay_until(place: Place, prefix: str, now: datetime, point: str) -> None:
    """Relay, and die where it comes to the point."""
    POINTS[point]()
    database = Database(place.database_url, size=POOL_SIZE, timeout_seconds=10)
    TrailRelay(database, AuditTable(place.connection_string, prefix), lambda: now).relay(60)
