"""The scrub has all bytes read in turn, so many a day, and tells how recently they were."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.artifacts import Artifact
from shared.models.integrity import Looks, VerificationResult
from shared.models.registrations import UNATTRIBUTED
from shared.services.artifact_service import ArtifactService
from shared.services.hash_later import LateHashes
from shared.services.ingestion import IngestionService
from shared.services.scrub import LARGEST_SAMPLE, LONGEST_DAYS, ScrubService
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.integration.clock import TickingClock
from tests.integration.failing import OwnQueue
from tests.integration.messages import ORIGIN
from tests.integration.registering import create
from tests.integration.rehydrating import events, waiting
from tests.integration.uploads import Uploads

DAYS = 10
DUE = timedelta(days=9)
"""After which it looks again, to have come round within DAYS."""
SECONDS = 60.0
Sql = psycopg.Connection[DictRow]


@dataclass
class Scrubbing:
    """Uploads that the scrub comes round to, and the queue by which they are read."""

    scrub: ScrubService
    uploads: Uploads
    ingestion: IngestionService
    artifacts: ArtifactService
    late: LateHashes
    queue: OwnQueue
    clock: TickingClock

    def register(self, name: str, content: bytes = b"one") -> Artifact:
        return self.ingestion.register_blob(self.uploads.put(name, content), UNATTRIBUTED).artifact

    def read_all(self) -> int:
        """Take the messages about what is due; how many these were."""
        self.late.send_due()
        messages = list(self.queue.client.receive_messages(max_messages=32))
        for message in messages:
            self.queue.client.delete_message(message)
            self.late.take("artifact-hashing", message.content.encode(), ORIGIN)
        return len(messages)

    def scrubs_next(self, scrub: ScrubService, sql: Sql) -> list[UUID]:
        """Whose bytes are read next, as the audit trail tells."""
        before = len(events(sql, "verified"))
        scrub.begin(SECONDS)
        self.read_all()
        told = sql.execute(
            "SELECT artifact_id FROM registry.outbox WHERE operation = 'verified' ORDER BY position"
        ).fetchall()
        return [row["artifact_id"] for row in told[before:]]

    def seen(self, artifact: Artifact) -> Artifact:
        return self.artifacts.get_by_id(artifact.artifact_id)

    def is_verified(self, *each: Artifact) -> list[bool]:
        return [self.seen(artifact).verified_at is not None for artifact in each]


Scrubber = Callable[[int], ScrubService]


@pytest.fixture
def scrubber(database: Database, clock: TickingClock) -> Scrubber:
    """Of so many bytes a day."""

    def of(bytes_per_day: int) -> ScrubService:
        return ScrubService(database, clock, bytes_per_day=bytes_per_day, days=DAYS)

    return of


@pytest.fixture
def scrubbing(
    scrubber: Scrubber,
    uploads: Uploads,
    ingestion: IngestionService,
    artifacts: ArtifactService,
    database: Database,
    set_aside: SetAsideService,
    azurite: Azurite,
    unique_name: str,
    own_queue: OwnQueue,
    clock: TickingClock,
) -> Scrubbing:
    store = BlobStore(azurite.connection_string)
    queue = StorageQueue(azurite.connection_string, unique_name)
    late = LateHashes(database, artifacts, ingestion, set_aside, store, queue, clock)
    scrub = scrubber(24 * 1000)
    return Scrubbing(scrub, uploads, ingestion, artifacts, late, own_queue, clock)


def test_it_comes_round_to_every_artifact_and_then_waits(scrubbing: Scrubbing, sql: Sql) -> None:
    one, two = scrubbing.register("a.tif"), scrubbing.register("b.tif", b"two")
    assert scrubbing.scrub.begin(SECONDS) == 0
    scrubbing.clock.now += DUE
    assert scrubbing.scrub.begin(SECONDS) == 2
    assert scrubbing.scrub.begin(SECONDS) == 0
    assert scrubbing.read_all() == 1
    assert scrubbing.is_verified(one, two) == [True, True]
    assert [each["operation"] for each in events(sql, "verified")] == ["verified"] * 2
    assert (scrubbing.scrub.begin(SECONDS), waiting(sql, "verifications_due")) == (0, 0)
    scrubbing.clock.now += DUE
    assert scrubbing.scrub.begin(SECONDS) == 2


def test_what_was_looked_at_longest_ago_is_read_first_and_no_more_than_allowed(
    scrubbing: Scrubbing, scrubber: Scrubber, sql: Sql
) -> None:
    asked, early, late = (scrubbing.register(f"{each}.tif") for each in "abc")
    scrubbing.clock.now += timedelta(hours=1)
    sql.execute(
        "INSERT INTO registry.verifications_due VALUES (%s, 3, '-infinity')", [asked.artifact_id]
    )
    scrubbing.read_all()
    scrub = scrubber(24 * 3)
    scrubbing.clock.now += DUE
    for read in (early, late, asked):
        assert scrubbing.scrubs_next(scrub, sql) == [read.artifact_id]
        scrubbing.clock.now += timedelta(hours=1)


def test_a_large_blob_is_paid_for_by_those_after_it(
    scrubbing: Scrubbing, scrubber: Scrubber
) -> None:
    scrubbing.register("a.tif", b"x" * 10)
    scrubbing.register("b.tif")
    scrub = scrubber(24)
    scrubbing.clock.now += DUE
    assert scrub.begin(SECONDS) == 1
    scrubbing.clock.now += timedelta(hours=8, minutes=55)
    assert scrub.begin(SECONDS) == 0
    scrubbing.clock.now += timedelta(minutes=10)
    assert scrub.begin(SECONDS) == 1


def test_none_is_read_unasked_where_it_is_turned_off(
    scrubbing: Scrubbing, scrubber: Scrubber
) -> None:
    scrubbing.register("a.tif")
    scrubbing.clock.now += DUE
    assert scrubber(0).begin(SECONDS) == 0


def test_what_has_no_bytes_or_no_hash_or_was_written_over_is_left_alone(
    scrubbing: Scrubbing, sql: Sql
) -> None:
    create(scrubbing.artifacts, "nowhere")
    create(
        scrubbing.artifacts,
        client_refs={"unhashed": "b"},
        storage_account="a",
        container="c",
        blob_path="b",
    )
    scrubbing.register("a.tif")
    later = scrubbing.register("a.tif", b"two")
    elsewhere = scrubbing.uploads.put("b.tif", b"three")
    current = create(
        scrubbing.artifacts,
        "three",
        client_type=later.client_type,
        client_refs=later.client_refs,
        storage_account=elsewhere.account,
        container=elsewhere.container,
        blob_path=elsewhere.path,
    )
    assert scrubbing.seen(later).superseded_by == current.artifact_id
    scrubbing.clock.now += DUE
    assert scrubbing.scrub.begin(SECONDS) == 2
    assert scrubbing.read_all() == 1
    assert scrubbing.is_verified(later, current) == [True, True]
    assert [each["operation"] for each in events(sql, "verified", "verification_failed")] == [
        "verified"
    ] * 2
    assert scrubbing.scrub.begin(SECONDS) == 0


def test_what_is_gone_is_told_once_a_round(scrubbing: Scrubbing, sql: Sql) -> None:
    gone = scrubbing.register("a.tif")
    scrubbing.uploads.container.delete_blob("a.tif")
    scrubbing.clock.now += DUE
    assert (scrubbing.scrub.begin(SECONDS), scrubbing.read_all()) == (1, 1)
    assert scrubbing.seen(gone).missing_since
    assert (scrubbing.scrub.begin(SECONDS), waiting(sql, "verifications_due")) == (0, 0)
    assert len(events(sql, "verification_failed")) == 1
    scrubbing.uploads.put("a.tif", b"one")  # and nobody says so
    scrubbing.clock.now += DUE
    assert (scrubbing.scrub.begin(SECONDS), scrubbing.read_all()) == (1, 1)
    back = scrubbing.seen(gone)
    assert (back.missing_since, back.verified_at is None) == (None, False)


def test_the_report_tells_whether_every_byte_was_looked_at_in_time(scrubbing: Scrubbing) -> None:
    nothing = scrubbing.scrub.coverage()
    assert (nothing.days, nothing.is_covered, nothing.oldest_look_at) == (DAYS, True, None)
    one, two = scrubbing.register("a.tif"), scrubbing.register("b.tif", b"longer")
    assert scrubbing.scrub.coverage().oldest_look_at == one.created_at
    scrubbing.clock.now += timedelta(days=DAYS)
    late = scrubbing.scrub.coverage()
    assert (late.is_covered, late.scrub_bytes_per_day) == (False, 24_000)
    assert scrubbing.scrub.coverage(DAYS + 1).is_covered
    scrubbing.scrub.begin(SECONDS)
    assert scrubbing.scrub.coverage().waiting == 2
    scrubbing.uploads.put("b.tif", b"l0nger")
    scrubbing.read_all()
    told = scrubbing.scrub.coverage()
    assert (told.is_covered, told.oldest_look_at) == (True, scrubbing.seen(one).verified_at)
    assert (told.corrupt, told.corrupt_count, told.waiting) == ([two.artifact_id], 1, 0)
    assert told.results == {
        VerificationResult.OK: Looks(artifacts=1, size_bytes=3),
        VerificationResult.MISMATCH: Looks(artifacts=1, size_bytes=6),
        VerificationResult.MISSING: Looks(),
        VerificationResult.UNREADABLE: Looks(),
    }
    scrubbing.clock.now += timedelta(days=3)
    assert all(each == Looks() for each in scrubbing.scrub.coverage(3).results.values())
    assert scrubbing.scrub.coverage(4).results == told.results


@pytest.mark.parametrize("days", [0, LONGEST_DAYS + 1])
def test_a_report_of_no_days_or_too_many_is_refused(scrubbing: Scrubbing, days: int) -> None:
    with pytest.raises(InvalidInput):
        scrubbing.scrub.coverage(days)


def test_a_sample_is_of_artifacts_whose_bytes_may_be_read(scrubbing: Scrubbing) -> None:
    assert scrubbing.scrub.sample(5).artifact_ids == []
    ids = {scrubbing.register(f"{each}.tif").artifact_id for each in range(4)}
    create(scrubbing.artifacts, "nowhere")
    chosen = {each for _ in range(20) for each in scrubbing.scrub.sample(2).artifact_ids}
    assert chosen <= ids
    assert len(chosen) > 1
    for size in (0, LARGEST_SAMPLE + 1):
        with pytest.raises(InvalidInput):
            scrubbing.scrub.sample(size)
