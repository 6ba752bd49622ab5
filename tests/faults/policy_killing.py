"""Points at which who runs policies, or does what they want, can kill itself: as in `killing`."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import psycopg
from azure.storage.blob import BlobClient, BlobLeaseClient
from azure.storage.queue import QueueMessage
from psycopg.rows import DictRow, dict_row

from shared.database.pool import Database
from shared.repositories.policy_actions import PolicyActionRepository
from shared.repositories.policy_runs import PolicyRunRepository
from shared.repositories.transitions import TransitionRepository
from shared.services import policy_queue
from shared.services.backlog import Backlog
from shared.services.policy_actions import PolicyActions
from shared.services.policy_runs import PolicyRunService
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.faults.killing import DELIVERY, die_after, die_before, die_while, die_while_committing
from tests.faults.places import POOL_SIZE, Place
from tests.faults.processes import keep_taking
from tests.faults.worker import SOON, body_of
from tests.integration.clock import TickingClock
from tests.integration.policing import COOL, DELETE, ORIGIN, PURGE, Policing, policing_of
from tests.integration.uploads import uploading_to

Points = dict[str, Callable[[], None]]

BASES = {base["kind"]: base for base in (COOL, PURGE, DELETE)}
MESSAGE_IDS = 2
"""A tick that may die sends more than one message of what it has claimed."""

TICKING: Points = {
    "before claiming": partial(die_before, PolicyRunRepository, "claim_due"),
    "while claiming": partial(die_while, PolicyRunRepository, "claim_due"),
    "after claiming": partial(die_after, PolicyRunRepository, "claim_due"),
    "while committing claims": partial(die_while_committing, PolicyRunRepository, "claim_due"),
    "after committing claims": partial(die_after, PolicyRunService, "_claim"),
    "before sending": partial(die_before, StorageQueue, "send"),
    "in mid sending": partial(die_after, StorageQueue, "send"),
    "while committing what was sent": partial(
        die_while_committing, PolicyActionRepository, "take_unsent"
    ),
    "after sending": partial(die_after, Backlog, "_send_some"),
}
ASKING: Points = {
    "asked, after committing claims": partial(die_after, PolicyRunService, "_claim"),
    "asked, after acting once": partial(die_after, PolicyActions, "act"),
    "asked, before counting": partial(die_before, PolicyActionRepository, "send_now"),
}
UNCOUNTED = "before counting"
TAKING: Points = {
    "before judging": partial(die_before, PolicyActionRepository, "judge"),
    "after judging": partial(die_after, PolicyActionRepository, "judge"),
    "before recording": partial(die_before, TransitionRepository, "move_disposition"),
    "while recording": partial(die_while, TransitionRepository, "move_disposition"),
    "after recording": partial(die_after, TransitionRepository, "move_disposition"),
    "after settling": partial(die_after, PolicyActionRepository, "settle"),
    "while committing": partial(die_while_committing, PolicyActionRepository, "settle"),
    "after acting once": partial(die_after, PolicyActions, "act"),
    UNCOUNTED: partial(die_before, PolicyActions, "count"),
    "while ending the run": partial(die_while, PolicyRunRepository, "count_outcomes"),
    "after ending the run": partial(die_after, PolicyRunRepository, "count_outcomes"),
    "before deleting": partial(die_before, DELIVERY, "delete"),
    "after deleting": partial(die_after, DELIVERY, "delete"),
}
AT_THE_STORE: dict[str, Points] = {
    "archive": {
        "before looking": partial(die_before, BlobStore, "properties"),
        "before tiering": partial(die_before, BlobStore, "set_tier"),
        "under the lease": partial(die_before, BlobClient, "set_standard_blob_tier"),
        "tiered, under the lease": partial(die_before, BlobLeaseClient, "release"),
        "after tiering": partial(die_after, BlobStore, "set_tier"),
    },
    "purge": {
        "before looking": partial(die_before, BlobStore, "properties"),
        "before removing": partial(die_before, BlobStore, "remove"),
        "after removing": partial(die_after, BlobStore, "remove"),
    },
    "delete": {},
}
ENDING: Points = {
    "before a tick ends the run": partial(die_before, PolicyRunRepository, "count_outcomes"),
    "while a tick ends the run": partial(die_while, PolicyRunRepository, "count_outcomes"),
    "after a tick ended the run": partial(die_after, PolicyRunRepository, "count_outcomes"),
}


def acting_on(kind: str) -> Points:
    """Points of whoever takes a message of what a kind of policy wants."""
    return TAKING | AT_THE_STORE[kind]


def points_of(kind: str) -> Points:
    """All that there are for a kind of policy."""
    return TICKING | ASKING | acting_on(kind) | ENDING


@dataclass(frozen=True)
class Ground:
    """All that a process is told: where policies are run, of what kind, and what time it is."""

    place: Place
    container: str
    kind: str
    now: datetime

    @contextmanager
    def policing(self) -> Generator[Policing]:
        """With a pool of its own, over the store itself."""
        clock = TickingClock()
        clock.now = self.now
        url, account = self.place.database_url, self.place.connection_string
        database = Database(url, size=POOL_SIZE, timeout_seconds=10)
        connect = psycopg.Connection[DictRow].connect
        with (
            uploading_to(account, self.container) as uploads,
            connect(url, autocommit=True, row_factory=dict_row) as sql,
        ):
            name = self.place.name
            yield policing_of(BlobStore(account), account, name, database, clock, uploads, sql)
        database.close()


def run_until(ground: Ground, point: str) -> None:
    """Do what the process does that comes to the point, and die there."""
    points_of(ground.kind)[point]()
    with ground.policing() as policing:
        if point in ASKING:
            policing.runs.run(BASES[ground.kind]["name"], ORIGIN)
        elif point in TICKING or point in ENDING:
            policy_queue.MOST_IDS = MESSAGE_IDS
            policing.runs.advance()
        else:
            _act(policing, ground.place)


def _act(policing: Policing, place: Place) -> None:
    def take(message: QueueMessage) -> None:
        policing.actions.take(place.name, body_of(message), ORIGIN)

    keep_taking(place, take, batch_size=1, visibility=SOON)
