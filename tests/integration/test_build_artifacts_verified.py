"""Bytes of builds' artifacts are compared with what was said of them, in the store itself."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import (
    ArtifactNotFound,
    BlobNotFound,
    BytesNotServed,
    InvalidTransition,
    StorageUnavailable,
)
from shared.models.build_artifacts import BuildArtifact
from shared.services.artifact_service import ArtifactService
from shared.services.build_artifacts import BuildArtifactService
from shared.services.build_surface import Builds
from shared.services.hash_later import LateHashes
from shared.services.ingestion import IngestionService
from shared.services.set_aside import SetAsideService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.integration.clock import TickingClock
from tests.integration.failing import OwnQueue
from tests.integration.keeping import Keeping, another, kept
from tests.integration.messages import ORIGIN
from tests.integration.rehydrating import events
from tests.integration.uploads import Uploads

__all__ = ["kept"]  # a fixture that is asked for by its name

ONE = b"the bytes of one"
TOLD = ("verified", "verification_failed")


def checksum(algorithm: str, content: bytes = ONE) -> str:
    return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Verifying:
    """A build's artifacts whose bytes are in a store that the registry serves."""

    kept: Keeping
    uploads: Uploads
    store: BlobStore

    def upload(self, content: bytes = ONE, **fields: Any) -> BuildArtifact:
        """Upload a blob and register it, by default with all that is to be said of it."""
        blob = self.uploads.put("state-10/a.vhd", content)
        said: dict[str, Any] = {"checksum": checksum("sha256"), "size_bytes": len(ONE)}
        path = f"{self.store.uri}/{blob.container}/{blob.path}"
        return self.kept.put(storage_backend="azure_blob", artifact_path=path, **said | fields)

    def verify(self, artifact: BuildArtifact) -> BuildArtifact:
        return self.kept.service.verify(self.kept.build_id, artifact.id, ORIGIN)


@pytest.fixture
def verifying(kept: Keeping, uploads: Uploads, azurite: Azurite) -> Verifying:
    return Verifying(kept, uploads, BlobStore(azurite.connection_string))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
@pytest.mark.parametrize("size", [len(ONE), None])
def test_bytes_as_registered_are_verified(
    verifying: Verifying, sql: psycopg.Connection[DictRow], algorithm: str, size: int | None
) -> None:
    made = verifying.upload(checksum=checksum(algorithm).upper(), size_bytes=size)
    seen = verifying.verify(made)
    assert seen.verified_at == seen.updated_at > made.updated_at
    assert seen.found_corrupt_at is None
    assert verifying.kept.seen(made) == seen
    assert [each["operation"] for each in events(sql, *TOLD)] == ["verified"]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
def test_a_flipped_byte_is_caught(
    verifying: Verifying, sql: psycopg.Connection[DictRow], algorithm: str
) -> None:
    flipped = bytes([ONE[0] ^ 1]) + ONE[1:]
    made = verifying.upload(flipped, checksum=checksum(algorithm))
    seen = verifying.verify(made)
    assert (seen.verified_at, seen.found_corrupt_at) == (None, seen.updated_at)
    [event] = events(sql, *TOLD)
    assert (event["operation"], event["actor"]) == ("verification_failed", ORIGIN.actor)
    assert event["details"]["found"] == "1220" + checksum("sha256", flipped)
    assert event["details"]["content_hash"] == made.content_hash


def test_another_size_is_told_without_reading_the_bytes(
    verifying: Verifying, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = verifying.upload(size_bytes=7)
    monkeypatch.delattr(BlobStore, "read")
    assert verifying.verify(made).found_corrupt_at
    assert events(sql, *TOLD)[0]["details"]["reason"] == f"The blob has {len(ONE)} bytes, not 7."


def test_the_last_look_counts(verifying: Verifying) -> None:
    made = verifying.upload()
    assert verifying.verify(made).verified_at
    verifying.uploads.put("state-10/a.vhd", b"other bytes now!")
    worse = verifying.verify(made)
    assert (worse.verified_at, worse.found_corrupt_at) == (None, worse.updated_at)
    verifying.uploads.put("state-10/a.vhd", ONE)
    better = verifying.verify(made)
    assert (better.verified_at, better.found_corrupt_at) == (better.updated_at, None)


def test_a_blob_that_is_gone_is_missing_until_it_is_there_again(
    verifying: Verifying, artifacts: ArtifactService
) -> None:
    made = verifying.upload()
    verifying.uploads.container.delete_blob("state-10/a.vhd")
    with pytest.raises(BlobNotFound):
        verifying.verify(made)
    assert artifacts.get_by_id(made.id).missing_since
    verifying.uploads.put("state-10/a.vhd", ONE)
    assert verifying.verify(made).verified_at
    assert artifacts.get_by_id(made.id).missing_since is None


@pytest.mark.parametrize(
    ("backend", "path"),
    [
        ("s3", "s3://builds/a.vhd"),
        ("azure_blob", "https://another.blob.core.windows.net/c-1/a.vhd"),
    ],
)
def test_what_is_nowhere_to_be_read_is_not_verified(
    verifying: Verifying, backend: str, path: str
) -> None:
    made = verifying.kept.put(
        storage_backend=backend, artifact_path=path, checksum=checksum("sha256")
    )
    with pytest.raises(BytesNotServed):
        verifying.verify(made)
    assert verifying.kept.seen(made) == made


def test_without_a_checksum_there_is_nothing_to_compare(verifying: Verifying) -> None:
    made = verifying.upload(checksum=None)
    with pytest.raises(InvalidTransition, match="checksum"):
        verifying.verify(made)


def test_a_deleted_artifact_and_another_builds_are_not_looked_at(
    verifying: Verifying, builds: Builds
) -> None:
    made = verifying.upload()
    with pytest.raises(ArtifactNotFound):
        replace(verifying, kept=another(verifying.kept, builds)).verify(made)
    verifying.kept.delete(made)
    with pytest.raises(InvalidTransition, match="deleted"):
        verifying.verify(made)


def test_a_store_that_does_not_answer_tells_nothing(
    verifying: Verifying, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable

    made = verifying.upload()
    monkeypatch.setattr(BlobStore, "read", fail)
    with pytest.raises(StorageUnavailable):
        verifying.verify(made)
    assert (verifying.kept.seen(made), events(sql, *TOLD)) == (made, [])


@dataclass(frozen=True)
class Later:
    """Everything is too large to be waited for; the queue, and who takes its messages."""

    verifying: Verifying
    late: LateHashes
    queue: OwnQueue

    def take_all(self) -> int:
        self.late.send_due()
        messages = list(self.queue.client.receive_messages())
        for message in messages:
            self.queue.client.delete_message(message)
            self.late.take("artifact-hashing", message.content.encode(), ORIGIN)
        return len(messages)


@pytest.fixture
def later(
    verifying: Verifying,
    database: Database,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    set_aside: SetAsideService,
    own_queue: OwnQueue,
    azurite: Azurite,
    unique_name: str,
    clock: TickingClock,
) -> Later:
    queue = StorageQueue(azurite.connection_string, unique_name)
    over = (database, artifacts, ingestion)
    none = Verifications(*over, verifying.store, clock, most_at_once=0)
    service = BuildArtifactService(database, none, clock)
    late = LateHashes(*over, set_aside, verifying.store, queue, clock)
    keeping = replace(verifying.kept, service=service)
    return Later(replace(verifying, kept=keeping), late, own_queue)


@pytest.mark.parametrize("content", [ONE, b"x" * len(ONE)])
@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_what_is_large_is_verified_later(later: Later, content: bytes, algorithm: str) -> None:
    made = later.verifying.upload(content, checksum=checksum(algorithm))
    assert later.verifying.verify(made) == made
    assert later.take_all() == 1
    seen = later.verifying.kept.seen(made)
    found = (seen.verified_at, seen.found_corrupt_at)
    assert found == ((seen.updated_at, None) if content == ONE else (None, seen.updated_at))
    assert later.verifying.verify(made) == seen.model_copy(
        update={"verified_at": None, "found_corrupt_at": None}
    )
    assert later.verifying.kept.seen(made) == seen
    later.verifying.uploads.container.delete_blob("state-10/a.vhd")
    assert later.take_all() == 1
    assert later.verifying.kept.seen(made).found_corrupt_at == seen.found_corrupt_at
