"""Points at which the scrub, or who reads for it, can kill itself: as in `killing`."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from shared.database.pool import Database
from shared.repositories.integrity import IntegrityRepository
from shared.repositories.rehydrations import RehydrationRepository
from shared.services.artifact_service import ArtifactService
from shared.services.backlog import Backlog
from shared.services.hash_later import LateHashes
from shared.services.scrub import ScrubService
from shared.services.set_aside import SetAsideService
from shared.storage import blobs
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.faults.killing import (
    CHUNK_BYTES,
    CHUNKS,
    die_after,
    die_after_chunk,
    die_before,
    die_while,
    die_while_committing,
)
from tests.faults.places import POOL_SIZE, Place
from tests.integration.clock import TickingClock
from tests.integration.messages import ORIGIN, over

POINTS: dict[str, Callable[[], None]] = {
    "before beginning": partial(die_before, IntegrityRepository, "begin_scrub"),
    "while beginning": partial(die_while, IntegrityRepository, "begin_scrub"),
    "after beginning": partial(die_after, IntegrityRepository, "begin_scrub"),
    "before sending": partial(die_before, StorageQueue, "send"),
    "after sending": partial(die_after, StorageQueue, "send"),
    "while committing what was sent": partial(
        die_while_committing, RehydrationRepository, "claim_verifications"
    ),
    "after committing what was sent": partial(die_after, Backlog, "_send_some"),
    "before reading": partial(die_before, BlobStore, "read"),
    "in mid reading": partial(die_after_chunk, CHUNKS // 2),
    "before recording": partial(die_before, RehydrationRepository, "record_verification"),
    "while recording": partial(die_while, RehydrationRepository, "record_verification"),
    "after recording": partial(die_after, RehydrationRepository, "record_verification"),
}
BYTES_PER_DAY = 24 * 2**20
DAYS = 10


def scrub_once(place: Place, now: datetime) -> None:
    """What the timers and the queue's function do in a minute."""
    clock = TickingClock()
    clock.now = now
    store = BlobStore(place.connection_string)
    database = Database(place.database_url, size=POOL_SIZE, timeout_seconds=10)
    artifacts = ArtifactService(database, clock)
    queue = StorageQueue(place.connection_string, place.name)
    ingestion, aside = over(store, database, artifacts, clock), SetAsideService(database, clock)
    late = LateHashes(database, artifacts, ingestion, aside, store, queue, clock)
    ScrubService(database, clock, bytes_per_day=BYTES_PER_DAY, days=DAYS).begin(60)
    late.send_due()
    with place.queue() as messages:
        for message in messages.receive_messages(max_messages=32, visibility_timeout=1):
            late.take(place.name, str(message.content).encode(), ORIGIN)
            messages.delete_message(message)
    database.close()


def scrub_until(place: Place, now: datetime, point: str) -> None:
    """Do the same, and die where it comes to the point."""
    blobs.CHUNK_BYTES = CHUNK_BYTES
    POINTS[point]()
    scrub_once(place, now)
