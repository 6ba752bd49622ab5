"""Artifacts that name a version of their blob: unproven on Azure.

Azurite keeps no versions, so a store of ours tells of them.
"""

from dataclasses import asdict, replace
from hashlib import sha256

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import BlobNotFound, BlobUnreadable
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.content_hash import content_hash_of
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.messages import (
    apply_rules,
    deliver,
    event,
    over,
    renamed,
    set_aside,
    stored,
    told,
)
from tests.integration.uploads import Uploads


class VersionedStore(BlobStore):
    """Azurite's blobs, each write of which is said to have made a version."""

    def __init__(self, connection_string: str) -> None:
        super().__init__(connection_string)
        self.versions: dict[str, BlobProperties] = {}
        self.is_deleted = False
        """Softly: everything is gone, until it is there again as it was."""

    def properties(
        self, reference: BlobReference, *, version_id: str | None = None
    ) -> BlobProperties:
        if self.is_deleted:
            raise BlobNotFound
        if version_id is None:
            found = super().properties(reference)
            version_id = f"version of {found.etag}"
            return self.versions.setdefault(version_id, replace(found, version_id=version_id))
        if not version_id.startswith("version of "):
            raise BlobUnreadable("InvalidQueryParameterValue")
        if version_id not in self.versions:
            raise BlobNotFound
        return self.versions[version_id]


@pytest.fixture
def store(azurite: Azurite) -> VersionedStore:
    return VersionedStore(azurite.connection_string)


@pytest.fixture
def ingestion(
    store: VersionedStore, database: Database, artifacts: ArtifactService, clock: TickingClock
) -> IngestionService:
    return over(store, database, artifacts, clock)


def missing(sql: psycopg.Connection[DictRow]) -> list[bool]:
    return [row["missing_since"] is not None for row in stored(sql)]


def test_an_artifact_is_there_as_long_as_its_version_is(
    ingestion: IngestionService,
    store: VersionedStore,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    deliver(ingestion, event(uploads.put("a", b"one")))
    deliver(ingestion, event(uploads.put("a", b"two")))
    uploads.container.delete_blob("a")
    notice = told("BlobDeleted", uploads.reference("a"))
    deliver(ingestion, notice)
    assert missing(sql) == [False, False]
    first, second = store.versions
    del store.versions[first]
    deliver(ingestion, notice)
    assert missing(sql) == [True, False]
    del store.versions[second]
    deliver(ingestion, notice, notice)
    assert missing(sql) == [True, True]
    # The name is there again, the versions are not.
    deliver(ingestion, event(uploads.put("a", b"three")))
    assert missing(sql) == [True, True, False]


def test_a_state_that_is_there_again_is_found(
    ingestion: IngestionService,
    store: VersionedStore,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    blob = uploads.put("a", b"one")
    deliver(ingestion, event(blob))
    store.is_deleted = True
    deliver(ingestion, told("BlobDeleted", blob))
    assert missing(sql) == [True]
    store.is_deleted = False
    deliver(ingestion, event(blob))
    assert missing(sql) == [False]


def test_a_version_that_the_store_cannot_name_is_left_alone(
    ingestion: IngestionService,
    artifacts: ArtifactService,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    blob = uploads.reference("a")
    artifacts.create_artifact(
        client_type="ddh", client_refs={"n": 1}, blob_version_id="odd",
        storage_account=blob.account, container=blob.container, blob_path=blob.path,
    )  # fmt: skip
    deliver(ingestion, told("BlobDeleted", blob))
    assert missing(sql) == [False]


def test_an_artifact_does_not_move_while_its_version_is_there(
    ingestion: IngestionService,
    store: VersionedStore,
    database: Database,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    rule = {"name": "files", "path": "{folder}/{file}", "client_type": "file"}
    place = {"container": uploads.container.container_name, "client_refs": {"file": "{file}"}}
    apply_rules(database, rule | place)
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    uploads.container.delete_blob("a/x")
    notice = renamed(uploads.reference("a/x"), uploads.put("b/x", b"one"))
    deliver(ingestion, notice)
    assert [row["blob_path"] for row in stored(sql)] == ["a/x"]
    del store.versions[next(iter(store.versions))]
    deliver(ingestion, notice)
    assert [(row["blob_path"], row["missing_since"]) for row in stored(sql)] == [("b/x", None)]


def test_an_artifact_does_not_move_from_a_version_that_the_store_cannot_name(
    ingestion: IngestionService,
    artifacts: ArtifactService,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    blob = uploads.put("a", b"x")
    left = uploads.reference("left")
    artifacts.create_artifact(
        client_type="blob", client_refs=asdict(blob), blob_version_id="odd",
        content_hash=content_hash_of(sha256(b"x").digest()),
        storage_account=left.account, container=left.container, blob_path=left.path,
    )  # fmt: skip
    deliver(ingestion, event(blob))
    assert [row["blob_path"] for row in stored(sql)] == ["left"]
    assert set_aside(sql) == []
