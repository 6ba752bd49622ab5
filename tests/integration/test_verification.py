"""What was brought back is verified: it is what was registered, or the audit trail says not."""

import json
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from azure.storage.queue import QueueClient
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import StorageUnavailable
from shared.models.artifacts import Artifact
from shared.models.tiers import ColderTier
from shared.services.artifact_service import ArtifactService
from shared.services.hash_later import LateHashes
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.integration.failing import own_queue_of
from tests.integration.messages import ORIGIN, set_aside
from tests.integration.registering import hash_of
from tests.integration.rehydrating import Rehydrating, events, rehydrating, waiting

__all__ = ["rehydrating"]  # a fixture that is asked for by its name

QUEUE = "artifact-hashing"
TOLD = ("verified", "verification_failed")


class Verifying:
    """The hashing queue with who fills it, and who takes its messages."""

    def __init__(self, late: LateHashes, queue: QueueClient) -> None:
        self.late = late
        self._queue = queue

    def messages(self) -> list[bytes]:
        """What the timer sends; the queue is emptied."""
        self.late.send_due()
        found = list(self._queue.receive_messages(max_messages=32))
        for message in found:
            self._queue.delete_message(message)
        return [message.content.encode() for message in found]

    def verify_all(self) -> None:
        for body in self.messages():
            self.late.take(QUEUE, body, ORIGIN)


@pytest.fixture
def verifying(
    rehydrating: Rehydrating,
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    unique_name: str,
) -> Iterator[Verifying]:
    storage, clock = azurite.connection_string, rehydrating.clock
    with own_queue_of(storage, unique_name) as queue:
        aside = SetAsideService(database, clock)
        over = (database, artifacts, rehydrating.ingestion, aside, rehydrating.store)
        yield Verifying(LateHashes(*over, StorageQueue(storage, unique_name), clock), queue.client)


@pytest.fixture
def back(rehydrating: Rehydrating) -> Artifact:
    """An artifact whose bytes are back, and not yet verified."""
    return rehydrating.ask(rehydrating.archived(tier=ColderTier.COOL))


def test_bytes_that_are_back_are_verified(
    verifying: Verifying,
    back: Artifact,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    assert back.verified_at is None
    verifying.verify_all()
    verified = artifacts.get_by_id(back.artifact_id)
    assert verified.verified_at == verified.updated_at
    [event] = events(sql, *TOLD)
    assert event["operation"] == "verified"
    assert event["details"]["before"] == {"verified_at": None, "found_corrupt_at": None}
    assert waiting(sql, "verifications_due") == 0


def test_other_bytes_are_told_with_both_hashes(
    rehydrating: Rehydrating,
    verifying: Verifying,
    back: Artifact,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    verifying.verify_all()
    rehydrating.retirement.archive(back.artifact_id, ColderTier.COOL, ORIGIN)
    rehydrating.ask(back)
    # Bytes that rot leave the etag as it is.
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        rotten = "UPDATE registry.artifacts SET content_hash = %s WHERE artifact_id = %s"
        sql.execute(rotten, [hash_of("two"), back.artifact_id])
    verifying.verify_all()
    assert artifacts.get_by_id(back.artifact_id).verified_at is None
    failed = events(sql, "verification_failed")[0]["details"]
    assert (failed["content_hash"], failed["found"]) == (hash_of("two"), hash_of("one"))
    assert failed["before"]["verified_at"] is not None
    assert failed["after"]["verified_at"] is None
    assert failed["after"]["found_corrupt_at"] is not None


def test_bytes_that_were_written_since_are_told_as_such(
    rehydrating: Rehydrating,
    verifying: Verifying,
    back: Artifact,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    rehydrating.uploads.put("a.tif", b"two")
    verifying.verify_all()
    assert artifacts.get_by_id(back.artifact_id).verified_at is None
    failed = events(sql, "verification_failed")[0]["details"]
    assert (failed["found"], failed["reason"]) == (
        None,
        "The blob was written again since: it holds other bytes.",
    )


def test_the_same_bytes_written_again_are_verified(
    rehydrating: Rehydrating,
    verifying: Verifying,
    back: Artifact,
    artifacts: ArtifactService,
) -> None:
    rehydrating.uploads.put("a.tif", b"one")
    verifying.verify_all()
    assert artifacts.get_by_id(back.artifact_id).verified_at is not None


def test_bytes_that_are_gone_are_missing_and_not_verified(
    rehydrating: Rehydrating,
    verifying: Verifying,
    back: Artifact,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    rehydrating.uploads.container.delete_blob("a.tif")
    verifying.verify_all()
    assert artifacts.get_by_id(back.artifact_id).missing_since is not None
    failed = events(sql, "verification_failed")[0]["details"]
    assert failed["found"] is None
    assert "no blob 'a.tif'" in failed["reason"]
    assert (waiting(sql, "verifications_due"), set_aside(sql)) == (0, [])


def test_a_message_that_comes_twice_reads_nothing_twice(
    rehydrating: Rehydrating,
    verifying: Verifying,
    back: Artifact,
    sql: psycopg.Connection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [body] = verifying.messages()
    assert json.loads(body) == {"verify": [str(back.artifact_id)]}
    verifying.late.take(QUEUE, body, ORIGIN)
    monkeypatch.delattr(BlobStore, "read")
    verifying.late.take(QUEUE, body, ORIGIN)
    assert len(events(sql, *TOLD)) == 1


def test_what_was_not_verified_is_sent_again_after_an_hour(
    rehydrating: Rehydrating,
    verifying: Verifying,
    back: Artifact,
    monkeypatch: pytest.MonkeyPatch,
    sql: psycopg.Connection[DictRow],
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable

    [body] = verifying.messages()
    with monkeypatch.context() as broken:
        broken.setattr(BlobStore, "read", fail)
        with pytest.raises(StorageUnavailable):
            verifying.late.take(QUEUE, body, ORIGIN)
    assert not verifying.messages()
    rehydrating.clock.now += timedelta(hours=1)
    verifying.verify_all()
    assert [each["operation"] for each in events(sql, *TOLD)] == ["verified"], back.artifact_id


def test_what_was_deleted_meanwhile_is_not_verified(
    verifying: Verifying,
    back: Artifact,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    artifacts.mark_deleted(back.artifact_id)
    verifying.verify_all()
    assert not events(sql, *TOLD)
    assert waiting(sql, "verifications_due") == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"verify": []}',
        b'{"verify": 7}',
        b'{"verify": ["0"]}',
        b'{"artifact_ids": [], "verify": []}',
    ],
)
def test_what_is_no_request_is_set_aside(
    verifying: Verifying, sql: psycopg.Connection[DictRow], body: bytes
) -> None:
    verifying.late.take(QUEUE, body, ORIGIN)
    assert [kept["reason"] for kept in set_aside(sql)] == ["malformed_message"]


def test_nobody_is_asked_about_what_is_unknown(
    verifying: Verifying, sql: psycopg.Connection[DictRow]
) -> None:
    verifying.late.take(QUEUE, b'{"verify": ["00000000-0000-7000-8000-000000000000"]}', ORIGIN)
    assert (set_aside(sql), events(sql, *TOLD)) == ([], [])
