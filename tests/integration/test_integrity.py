"""Any artifact's bytes are compared with its hash when somebody asks."""

from dataclasses import dataclass

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import ArtifactNotFound, InvalidTransition, StorageUnavailable
from shared.models.artifacts import Artifact
from shared.models.ids import new_id
from shared.models.integrity import Verification, VerificationResult
from shared.models.registrations import UNATTRIBUTED
from shared.models.tiers import ColderTier
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.retirement import RetirementService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.messages import ORIGIN
from tests.integration.registering import create, hash_of
from tests.integration.rehydrating import events, waiting
from tests.integration.uploads import Uploads

TOLD = ("verified", "verification_failed")


@dataclass(frozen=True)
class Checking:
    """Uploads, what registers them, and what verifies them."""

    uploads: Uploads
    ingestion: IngestionService
    verifications: Verifications
    artifacts: ArtifactService

    def register(self, content: bytes = b"one", name: str = "a.tif") -> Artifact:
        blob = self.uploads.put(name, content)
        return self.ingestion.register_blob(blob, UNATTRIBUTED).artifact

    def check(self, artifact: Artifact) -> Verification:
        return self.verifications.check_now(artifact.artifact_id, ORIGIN)

    def seen(self, artifact: Artifact) -> Artifact:
        return self.artifacts.get_by_id(artifact.artifact_id)


@pytest.fixture
def store(azurite: Azurite) -> BlobStore:
    return BlobStore(azurite.connection_string)


@pytest.fixture
def checking(
    uploads: Uploads,
    ingestion: IngestionService,
    database: Database,
    artifacts: ArtifactService,
    store: BlobStore,
    clock: TickingClock,
) -> Checking:
    verifications = Verifications(database, artifacts, ingestion, store, clock)
    return Checking(uploads, ingestion, verifications, artifacts)


def rot(sql: psycopg.Connection[DictRow], artifact: Artifact, content: str = "two") -> None:
    """Bytes that rot leave the etag as it is; here the record differs instead."""
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        sql.execute(
            "UPDATE registry.artifacts SET content_hash = %s WHERE artifact_id = %s",
            [hash_of(content), artifact.artifact_id],
        )


def days(sql: psycopg.Connection[DictRow]) -> dict[str, tuple[int, int]]:
    rows = sql.execute("SELECT * FROM registry.integrity_days").fetchall()
    return {row["result"]: (row["artifacts"], int(row["size_bytes"])) for row in rows}


def test_bytes_as_registered_are_verified(
    checking: Checking, sql: psycopg.Connection[DictRow]
) -> None:
    made = checking.register()
    told = checking.check(made)
    assert (told.result, told.reason) == (VerificationResult.OK, None)
    assert told.artifact.verified_at == told.artifact.updated_at > made.updated_at
    assert told.artifact.found_corrupt_at is None
    assert checking.seen(made) == told.artifact
    [event] = events(sql, *TOLD)
    assert (event["operation"], event["actor"]) == ("verified", ORIGIN.actor)
    assert event["details"]["result"] == "ok"
    assert days(sql) == {"ok": (1, 3)}


def test_other_bytes_mark_the_artifact_until_they_are_right_again(
    checking: Checking, sql: psycopg.Connection[DictRow]
) -> None:
    made = checking.register()
    checking.check(made)
    rot(sql, made)
    worse = checking.check(made)
    assert worse.result is VerificationResult.MISMATCH
    assert (worse.artifact.verified_at, worse.artifact.found_corrupt_at) == (
        None,
        worse.artifact.updated_at,
    )
    failed = events(sql, "verification_failed")[0]["details"]
    assert (failed["result"], failed["found"]) == ("mismatch", hash_of("one"))
    assert (failed["content_hash"], failed["before"]["found_corrupt_at"]) == (hash_of("two"), None)
    assert failed["after"]["found_corrupt_at"] is not None
    rot(sql, made, "one")
    better = checking.check(made).artifact
    assert (better.verified_at, better.found_corrupt_at) == (better.updated_at, None)
    assert days(sql) == {"ok": (2, 6), "mismatch": (1, 3)}


def test_what_was_corrupt_and_is_written_again_is_verified_unasked(
    checking: Checking, sql: psycopg.Connection[DictRow]
) -> None:
    made = checking.register()
    rot(sql, made)
    assert checking.check(made).artifact.found_corrupt_at
    assert checking.register(b"two").artifact_id == made.artifact_id
    checking.verifications.verify(made.artifact_id, ORIGIN)
    better = checking.seen(made)
    assert (better.verified_at, better.found_corrupt_at) == (better.updated_at, None)
    assert waiting(sql, "verifications_due") == 0


def test_a_blob_of_another_size_is_not_even_read(
    checking: Checking, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = checking.register()
    checking.uploads.put("a.tif", b"longer")
    monkeypatch.delattr(BlobStore, "read")
    told = checking.check(made)
    assert told.result is VerificationResult.MISMATCH
    assert told.reason == "The blob has 6 bytes, not 3."
    assert events(sql, *TOLD)[0]["details"]["reason"] == told.reason


def test_bytes_that_a_later_revision_was_written_over_are_missing_not_corrupt(
    checking: Checking, sql: psycopg.Connection[DictRow]
) -> None:
    made = checking.register()
    later = checking.register(b"two")
    sql.execute("UPDATE registry.artifacts SET superseded_at = NULL")  # as those of long ago
    superseded_at = checking.seen(made).updated_at
    told = checking.check(made)
    clock = "SELECT superseded_at FROM registry.artifacts WHERE superseded_by IS NOT NULL"
    assert sql.execute(clock).fetchall() == [{"superseded_at": superseded_at}]
    assert told.result is VerificationResult.MISSING
    assert told.reason == "The blob was written again since, and registered as another artifact."
    assert told.artifact.found_corrupt_at is None
    assert checking.check(later).result is VerificationResult.OK


def test_a_blob_that_is_gone_is_missing_and_keeps_what_was_found_before(
    checking: Checking, sql: psycopg.Connection[DictRow]
) -> None:
    made = checking.register()
    rot(sql, made)
    found = checking.check(made).artifact.found_corrupt_at
    checking.uploads.container.delete_blob("a.tif")
    told = checking.check(made)
    assert (told.result, told.artifact.found_corrupt_at) == (VerificationResult.MISSING, found)
    assert found
    assert told.artifact.missing_since
    assert events(sql, *TOLD)[-1]["details"]["result"] == "missing"


def test_what_lies_in_the_tier_archive_is_unreadable(
    checking: Checking, database: Database, store: BlobStore, clock: TickingClock
) -> None:
    made = checking.register()
    retirement = RetirementService(database, store, clock)
    retirement.archive(made.artifact_id, ColderTier.ARCHIVE, UNATTRIBUTED)
    told = checking.check(made)
    assert told.result is VerificationResult.UNREADABLE
    assert told.reason
    assert told.artifact.found_corrupt_at is None


def test_what_lies_nowhere_that_is_served_is_unreadable(
    checking: Checking, artifacts: ArtifactService
) -> None:
    told = checking.check(create(artifacts, "one"))
    assert told.result is VerificationResult.UNREADABLE


def test_without_a_hash_and_after_deletion_nothing_is_looked_at(
    checking: Checking, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    with pytest.raises(ArtifactNotFound):
        checking.verifications.check_now(new_id(), ORIGIN)
    with pytest.raises(InvalidTransition, match="checksum"):
        checking.check(create(artifacts, "none", content_hash=None))
    made = checking.register()
    artifacts.mark_deleted(made.artifact_id)
    with pytest.raises(InvalidTransition, match="deleted"):
        checking.check(made)
    assert (events(sql, *TOLD), days(sql)) == ([], {})


def test_what_is_large_is_pending_until_the_queue_had_it_read(
    checking: Checking,
    database: Database,
    store: BlobStore,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    made = checking.register()
    over = (database, checking.artifacts, checking.ingestion, store, clock)
    for _ in range(2):  # asked again while a message is under way, it sends no other
        told = Verifications(*over, most_at_once=2).check_now(made.artifact_id, ORIGIN)
        assert (told.result, told.artifact) == (VerificationResult.PENDING, made)
        sql.execute("UPDATE registry.verifications_due SET due_at = 'infinity'")
    due = sql.execute("SELECT due_at = 'infinity' AS is_sent FROM registry.verifications_due")
    assert due.fetchall() == [{"is_sent": True}]
    checking.verifications.verify(made.artifact_id, ORIGIN)
    assert checking.seen(made).verified_at
    assert waiting(sql, "verifications_due") == 0


def test_a_store_that_does_not_answer_tells_nothing(
    checking: Checking, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable

    made = checking.register()
    monkeypatch.setattr(BlobStore, "read", fail)
    with pytest.raises(StorageUnavailable):
        checking.check(made)
    assert (checking.seen(made), events(sql, *TOLD)) == (made, [])
