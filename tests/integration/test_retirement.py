"""Bytes are tiered or removed only where no other artifact needs them; records stay."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
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
    BytesUncertain,
    InvalidTransition,
    LocationShared,
    PreconditionFailed,
    StorageUnavailable,
)
from shared.models.artifacts import Artifact
from shared.models.axes import Disposition, Status
from shared.models.blobs import BlobReference
from shared.models.ids import new_id
from shared.models.registrations import UNATTRIBUTED
from shared.models.tiers import ColderTier
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.retirement import RetirementService
from shared.storage.blobs import BlobStore
from tests.end_to_end.waiting import wait_for
from tests.integration.locks import somebody_waits
from tests.integration.registering import create
from tests.integration.uploads import Uploads


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def retirement(database: Database, azurite: Azurite) -> RetirementService:
    return RetirementService(database, BlobStore(azurite.connection_string), now)


@pytest.fixture
def store(azurite: Azurite) -> BlobStore:
    return BlobStore(azurite.connection_string)


def upload(
    ingestion: IngestionService, uploads: Uploads, content: bytes, name: str = "a.tif"
) -> Artifact:
    return ingestion.register_blob(uploads.put(name, content), UNATTRIBUTED).artifact


def place(blob: BlobReference) -> dict[str, str]:
    return {
        "storage_account": blob.account,
        "container": blob.container,
        "blob_path": blob.path,
    }


def is_there(uploads: Uploads, name: str = "a.tif") -> bool:
    return uploads.container.get_blob_client(name).exists()


def purge_deleted(
    retirement: RetirementService, artifacts: ArtifactService, artifact: Artifact
) -> Artifact:
    artifacts.mark_deleted(artifact.artifact_id)
    return retirement.purge(artifact.artifact_id, UNATTRIBUTED).artifact


def test_a_purge_removes_the_bytes_and_keeps_the_tombstone(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    made = upload(ingestion, uploads, b"one")
    artifacts.mark_deleted(made.artifact_id)
    first = retirement.purge(made.artifact_id, UNATTRIBUTED)
    again = retirement.purge(made.artifact_id, UNATTRIBUTED)
    assert not is_there(uploads)
    assert (first.previous, first.artifact.status) == (Status.DELETED, Status.DELETED)
    assert first.artifact.disposition is Disposition.PURGED
    assert first.artifact.purged_at is not None
    assert again.artifact == first.artifact
    assert artifacts.get_by_id(made.artifact_id).content_hash == made.content_hash


def test_only_what_is_deleted_can_be_purged(
    retirement: RetirementService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    made = upload(ingestion, uploads, b"one")
    with pytest.raises(InvalidTransition):
        retirement.purge(made.artifact_id, UNATTRIBUTED)
    assert is_there(uploads)


def test_bytes_that_were_overwritten_in_place_are_the_successors(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    old, new = upload(ingestion, uploads, b"one"), upload(ingestion, uploads, b"two")
    artifacts.mark_deleted(old.artifact_id)
    with pytest.raises(LocationShared):
        retirement.purge(old.artifact_id, UNATTRIBUTED)
    assert is_there(uploads)
    artifacts.mark_deleted(new.artifact_id)
    assert retirement.purge(old.artifact_id, UNATTRIBUTED).artifact.purged_at
    assert is_there(uploads), "these are the bytes of the successor"
    retirement.purge(new.artifact_id, UNATTRIBUTED)
    assert not is_there(uploads)


def test_bytes_that_another_client_points_at_stay(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    made = upload(ingestion, uploads, b"one")
    other = create(artifacts, "one", **place(uploads.reference("a.tif")))
    with pytest.raises(LocationShared):
        retirement.archive(other.artifact_id, ColderTier.COOL, UNATTRIBUTED)
    with pytest.raises(LocationShared):
        purge_deleted(retirement, artifacts, made)
    assert is_there(uploads)


def test_an_archived_artifact_still_needs_its_bytes(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    made = upload(ingestion, uploads, b"one")
    other = create(artifacts, "one", **place(uploads.reference("a.tif")))
    artifacts.mark_archived(other.artifact_id)
    artifacts.mark_deleted(made.artifact_id)
    with pytest.raises(LocationShared):
        retirement.purge(made.artifact_id, UNATTRIBUTED)


def test_versions_of_one_blob_do_not_share_bytes(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    """Seen in the database only: the emulator keeps no versions."""
    blob = place(BlobReference("devstoreaccount1", "container", "a.tif"))
    first = create(artifacts, "a", **blob, blob_version_id="v1")
    create(artifacts, "b", **blob, blob_version_id="v2")
    held = "SELECT is_shared FROM registry.hold_bytes(%s)"
    assert sql.execute(held, [first.artifact_id]).fetchall() == [{"is_shared": False}]
    create(artifacts, "a", client_refs={"other": 1}, **blob, blob_version_id="v1")
    assert sql.execute(held, [first.artifact_id]).fetchall() == [{"is_shared": True}]


def test_a_blob_written_since_by_nobody_known_is_not_removed(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    made = upload(ingestion, uploads, b"one")
    uploads.put("a.tif", b"two")
    artifacts.mark_deleted(made.artifact_id)
    with pytest.raises(BytesUncertain):
        retirement.purge(made.artifact_id, UNATTRIBUTED)
    uploads.put("a.tif", b"longer")
    assert retirement.purge(made.artifact_id, UNATTRIBUTED).artifact.purged_at
    assert is_there(uploads), "these are bytes of another size, hence others"


def test_without_an_etag_a_blob_written_after_the_registration_is_not_removed(
    retirement: RetirementService,
    artifacts: ArtifactService,
    uploads: Uploads,
) -> None:
    """The registry's clock stands in January here: every upload comes after it."""
    made = create(artifacts, "a", **place(uploads.put("a.tif", b"one")))
    artifacts.mark_deleted(made.artifact_id)
    with pytest.raises(BytesUncertain):
        retirement.purge(made.artifact_id, UNATTRIBUTED)
    assert is_there(uploads)


def test_without_an_etag_a_blob_older_than_the_registration_is_removed(
    database: Database,
    retirement: RetirementService,
    uploads: Uploads,
) -> None:
    artifacts = ArtifactService(database, now)
    made = create(artifacts, "a", **place(uploads.put("a.tif", b"one")))
    purge_deleted(retirement, artifacts, made)
    assert not is_there(uploads)


def test_inline_content_is_removed_by_a_purge(
    retirement: RetirementService, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a", data={"rows": [1, 2, 3]})
    assert purge_deleted(retirement, artifacts, made).data is None


@pytest.mark.parametrize(
    "where",
    [
        {"storage_account": "elsewhere", "container": "container", "blob_path": "a.tif"},
        {"uri": "https://example.org/a.tif"},
    ],
)
def test_bytes_elsewhere_are_not_said_to_be_gone(
    retirement: RetirementService, artifacts: ArtifactService, where: dict[str, Any]
) -> None:
    made = create(artifacts, "a", **where)
    with pytest.raises(BytesNotServed):
        retirement.archive(made.artifact_id, ColderTier.COOL, UNATTRIBUTED)
    with pytest.raises(BytesNotServed):
        purge_deleted(retirement, artifacts, made)
    assert artifacts.get_by_id(made.artifact_id).disposition is Disposition.DELETED


def test_archiving_moves_the_bytes_to_the_tier_and_the_asset_has_no_current_artifact(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
    store: BlobStore,
    sql: psycopg.Connection[DictRow],
) -> None:
    made = upload(ingestion, uploads, b"one")
    cool = retirement.archive(made.artifact_id, ColderTier.COOL, UNATTRIBUTED)
    assert (cool.previous, cool.artifact.status) == (Status.ACTIVE, Status.ARCHIVED)
    assert cool.artifact.storage_tier == "Cool"
    assert store.properties(uploads.reference("a.tif")).tier == "Cool"
    colder = retirement.archive(made.artifact_id, ColderTier.ARCHIVE, UNATTRIBUTED)
    assert (colder.previous, colder.artifact.storage_tier) == (Status.ARCHIVED, "Archive")
    assert colder.artifact.archived_at == cool.artifact.archived_at
    with pytest.raises(InvalidTransition):
        retirement.archive(made.artifact_id, ColderTier.COOL, UNATTRIBUTED)
    assert store.properties(uploads.reference("a.tif")).tier == "Archive"
    assert sql.execute("SELECT current_artifact_id FROM registry.assets").fetchall() == [
        {"current_artifact_id": None}
    ]


def test_archiving_the_same_again_leaves_no_trace(
    retirement: RetirementService,
    ingestion: IngestionService,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> None:
    made = upload(ingestion, uploads, b"one")
    first = retirement.archive(made.artifact_id, ColderTier.COOL, UNATTRIBUTED)
    assert retirement.archive(made.artifact_id, ColderTier.COOL, UNATTRIBUTED).artifact == (
        first.artifact
    )
    rows = sql.execute("SELECT FROM registry.outbox WHERE operation = 'status_update'").fetchall()
    assert len(rows) == 1


def test_bytes_that_are_gone_cannot_be_archived(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    made = upload(ingestion, uploads, b"one")
    uploads.container.delete_blob("a.tif")
    with pytest.raises(BlobNotFound):
        retirement.archive(made.artifact_id, ColderTier.COOL, UNATTRIBUTED)
    assert artifacts.get_by_id(made.artifact_id).status is Status.ACTIVE


def test_neither_pending_nor_deleted_artifacts_can_be_archived(
    retirement: RetirementService, artifacts: ArtifactService
) -> None:
    pending = create(artifacts, processing="pending")
    deleted = create(artifacts, "a", client_refs={"b": 1})
    artifacts.mark_deleted(deleted.artifact_id)
    for artifact in (pending, deleted):
        with pytest.raises(InvalidTransition):
            retirement.archive(artifact.artifact_id, ColderTier.COOL, UNATTRIBUTED)


def test_a_condition_that_does_not_hold_touches_no_bytes(
    retirement: RetirementService,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    uploads: Uploads,
    store: BlobStore,
) -> None:
    made = upload(ingestion, uploads, b"one")
    with pytest.raises(PreconditionFailed):
        retirement.archive(made.artifact_id, ColderTier.COOL, UNATTRIBUTED, if_match={"old"})
    assert store.properties(uploads.reference("a.tif")).tier == "Hot"
    artifacts.mark_deleted(made.artifact_id)
    with pytest.raises(PreconditionFailed):
        retirement.purge(made.artifact_id, UNATTRIBUTED, if_match={"old"})
    assert is_there(uploads)


def test_an_unknown_artifact_is_said_to_be_one(retirement: RetirementService) -> None:
    with pytest.raises(ArtifactNotFound):
        retirement.purge(new_id(), UNATTRIBUTED)
    with pytest.raises(ArtifactNotFound):
        retirement.archive(new_id(), ColderTier.COOL, UNATTRIBUTED)


def test_while_storage_is_away_nothing_is_said_to_be_gone(
    database: Database,
    artifacts: ArtifactService,
    uploads: Uploads,
    ingestion: IngestionService,
) -> None:
    made = upload(ingestion, uploads, b"one")
    artifacts.mark_deleted(made.artifact_id)
    nobody_there = BlobStore(
        f"AccountName={made.storage_account};AccountKey=a2V5;DefaultEndpointsProtocol=http;"
        f"BlobEndpoint=http://127.0.0.1:1/{made.storage_account};"
    )
    with pytest.raises(StorageUnavailable):
        RetirementService(database, nobody_there, now).purge(made.artifact_id, UNATTRIBUTED)
    assert artifacts.get_by_id(made.artifact_id).disposition is Disposition.DELETED


def test_while_bytes_are_being_removed_nobody_registers_at_their_location(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], uploads: Uploads
) -> None:
    blob = place(uploads.put("a.tif", b"one"))
    made = create(artifacts, "a", **blob)
    with ThreadPoolExecutor(1) as thread:
        with sql.transaction():
            sql.execute("SELECT registry.hold_bytes(%s)", [made.artifact_id])
            waiting = thread.submit(create, artifacts, "b", client_refs={"other": 1}, **blob)
            wait_for("a registration that waits", lambda: somebody_waits(sql))
            assert not waiting.done()
        assert waiting.result(timeout=30).revision == 1
