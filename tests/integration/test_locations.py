"""What becomes of artifacts whose blob is deleted, written again, or moved to another tier."""

from collections.abc import Callable, Generator
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.artifacts import ArtifactRegistration
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Outcome
from shared.services import locations
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.messages import (
    ORIGIN,
    apply_rules,
    deliver,
    event,
    operations,
    over,
    set_aside,
    stored,
    told,
)
from tests.integration.registering import hash_of
from tests.integration.uploads import Uploads

Rows = psycopg.Connection[DictRow]


def deleted(uploads: Uploads, blob: BlobReference) -> bytes:
    uploads.container.delete_blob(blob.path)
    return told("BlobDeleted", blob, api="DeleteBlob")


def missing(sql: Rows) -> list[bool]:
    return [row["missing_since"] is not None for row in stored(sql)]


def test_the_location_of_a_deleted_blob_is_missing_and_nothing_else_changes(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    deliver(ingestion, event(blob))
    (before,) = stored(sql)
    deliver(ingestion, *[deleted(uploads, blob)] * 3)
    (after,) = stored(sql)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"missing_since", "updated_at"}
    assert after["missing_since"] == after["updated_at"]
    assert operations(sql) == ["artifact_creation", "location_missing"]
    assert set_aside(sql) == []


def test_the_event_of_a_deleted_blob_that_is_there_again_registers_it(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    late = deleted(uploads, blob)
    uploads.put("a", b"two")
    deliver(ingestion, late)
    (row,) = stored(sql)
    assert (row["content_hash"], row["missing_since"]) == (hash_of("two"), None)


@pytest.mark.parametrize(("content", "revisions"), [(b"one", 1), (b"two", 2)])
def test_a_blob_that_is_written_again_is_missing_no_more(
    ingestion: IngestionService, uploads: Uploads, sql: Rows, content: bytes, revisions: int
) -> None:
    blob = uploads.put("a", b"one")
    deliver(ingestion, event(blob))
    deliver(ingestion, deleted(uploads, blob))
    assert missing(sql) == [True]
    uploads.put("a", content)
    deliver(ingestion, *[event(blob)] * 2)
    assert missing(sql) == [False] * revisions
    assert stored(sql)[-1]["status"] == "active"
    assert operations(sql).count("location_found") == 1


def test_whoever_finds_a_blob_gone_says_so(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    deliver(ingestion, event(blob))
    uploads.container.delete_blob("a")
    deliver(ingestion, event(blob), told("BlobTierChanged", blob))
    assert missing(sql) == [True]
    assert [kept["reason"] for kept in set_aside(sql)] == ["blob_not_found"]


def test_everything_that_points_there_is_missing_whoever_registered_it(
    ingestion: IngestionService, artifacts: ArtifactService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    place: dict[str, Any] = {
        "storage_account": blob.account,
        "container": blob.container,
        "blob_path": "a",
    }
    others: list[dict[str, Any]] = [
        {"client_refs": {"kind": "told"}, **place},
        {"client_refs": {"kind": "elsewhere"}, **place, "blob_path": "b"},
        {"client_refs": {"kind": "pinned"}, **place, "blob_version_id": "v1"},
    ]
    for other in others:
        artifacts.create_artifact(client_type="ddh", **other)
    told_deleted = artifacts.create_artifact(client_type="ddh", client_refs={"n": 4}, **place)
    artifacts.mark_deleted(told_deleted.artifact_id)
    deliver(ingestion, event(blob))
    deliver(ingestion, deleted(uploads, blob))
    kinds = {row["client_refs"].get("kind") for row in stored(sql) if row["missing_since"]}
    # Azurite knows no versions: asked for one, it tells of the blob itself.
    assert kinds == {None, "told", "pinned"}
    assert not next(row for row in stored(sql) if row["status"] == "deleted")["missing_since"]


def test_a_missing_artifact_is_no_copy_of_its_content(
    ingestion: IngestionService, artifacts: ArtifactService, uploads: Uploads
) -> None:
    for name in ("a", "b"):
        deliver(ingestion, event(uploads.put(name, b"same")))
    artifacts.fold_changes()
    assert [group.copies for group in artifacts.list_duplicate_groups().groups] == [2]
    deliver(ingestion, deleted(uploads, uploads.reference("b")))
    assert [group.copies for group in artifacts.list_duplicate_groups().groups] == [1]


def test_many_artifacts_at_one_location_are_followed_a_page_at_a_time(
    ingestion: IngestionService, uploads: Uploads, sql: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "PAGE", 2)
    blob = uploads.reference("a")
    for number in range(5):
        uploads.put("a", bytes([number]))
        deliver(ingestion, event(blob))
    deliver(ingestion, deleted(uploads, blob))
    assert missing(sql) == [True] * 5
    uploads.put("a", b"new")
    deliver(ingestion, event(blob))
    assert missing(sql) == [False] * 6


class InterruptedAfterHashing(BlobStore):
    """A store whose reader is slow: something happens after its last byte."""

    def __init__(self, connection_string: str, happen: Callable[[], object]) -> None:
        super().__init__(connection_string)
        self._happen = happen

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        yield from super().read(properties)
        self._happen()


@pytest.fixture
def interrupted(
    azurite: Azurite, database: Database, artifacts: ArtifactService, clock: TickingClock
) -> Callable[[Callable[[], object]], IngestionService]:
    def build(happen: Callable[[], object]) -> IngestionService:
        store = InterruptedAfterHashing(azurite.connection_string, happen)
        return over(store, database, artifacts, clock)

    return build


Interrupted = Callable[[Callable[[], object]], IngestionService]


def test_what_is_registered_after_its_blob_was_found_gone_is_missing(
    interrupted: Interrupted, ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    slow = interrupted(lambda: deliver(ingestion, deleted(uploads, blob)))
    registered = slow.register_blob(blob, ORIGIN)
    assert (registered.outcome, missing(sql)) == (Outcome.CREATED, [True])


def test_what_is_registered_after_a_tier_was_seen_has_that_tier(
    interrupted: Interrupted, ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")

    def tier() -> None:
        uploads.container.get_blob_client("a").set_standard_blob_tier("Cool")
        deliver(ingestion, told("BlobTierChanged", blob))

    interrupted(tier).register_blob(blob, ORIGIN)
    assert [row["storage_tier"] for row in stored(sql)] == ["Cool"]


def test_a_tier_is_followed_by_artifacts_of_the_state_that_has_it(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    deliver(ingestion, event(blob))
    uploads.put("a", b"two")
    deliver(ingestion, event(blob))
    uploads.container.get_blob_client("a").set_standard_blob_tier("Cool")
    deliver(ingestion, *[told("BlobTierChanged", blob, accessTier="Archive")] * 2)
    assert [row["storage_tier"] for row in stored(sql)] == ["Hot", "Cool"]
    assert operations(sql)[2:] == ["tier_changed"]


def test_of_two_looks_the_later_one_counts_whichever_is_followed_first(
    ingestion: IngestionService, artifacts: ArtifactService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    made = ingestion.register_blob(blob, ORIGIN).artifact
    early = locations.Look(blob, artifacts.next_observation(), None)
    store = ingestion.look_at_blob(blob, ORIGIN)
    assert store is not None
    artifacts.follow_look(early, ORIGIN, after=locations.FIRST)
    assert missing(sql) == [False]
    late = locations.Look(blob, artifacts.next_observation(), None)
    artifacts.follow_look(late, ORIGIN, after=locations.FIRST)
    assert missing(sql) == [True]
    assert artifacts.get_by_id(made.artifact_id).missing_since is not None


RULE = {
    "name": "tiles",
    "path": "tiles/{tile}.tif",
    "client_type": "tile",
    "client_refs": {"tile": "{tile}"},
    "when_deleted": "delete",
}


def test_a_rule_may_have_artifacts_of_its_asset_deleted_with_their_blob(
    ingestion: IngestionService,
    artifacts: ArtifactService,
    database: Database,
    uploads: Uploads,
    sql: Rows,
) -> None:
    apply_rules(database, RULE | {"container": uploads.container.container_name})
    blob = uploads.put("tiles/7.tif", b"one")
    deliver(ingestion, event(blob))
    other = ArtifactRegistration.model_validate({
        "client_type": "other", "client_refs": {"tile": "7"},
        "storage_account": blob.account, "container": blob.container, "blob_path": blob.path,
    })  # fmt: skip
    artifacts.register(other)
    deliver(ingestion, *[deleted(uploads, blob)] * 2)
    status = {row["client_type"]: row["status"] for row in stored(sql)}
    assert status == {"tile": "deleted", "other": "active"}
    assert all(missing(sql))
    assert operations(sql).count("status_update") == 1


def test_what_only_the_uploader_could_put_right_keeps_nothing_from_being_deleted(
    ingestion: IngestionService, database: Database, uploads: Uploads, sql: Rows
) -> None:
    too_long = {"container": uploads.container.container_name, "stac_item_id": "x" * 240 + "{tile}"}
    apply_rules(database, RULE | too_long)
    blob = uploads.put(f"tiles/{'7' * 20}.tif", b"one", metadata={"registry_stac_item_id": "seven"})
    deliver(ingestion, event(blob))
    deliver(ingestion, deleted(uploads, blob))
    assert [(row["stac_item_id"], row["status"]) for row in stored(sql)] == [("seven", "deleted")]


def test_a_rule_deletes_what_is_registered_after_its_blob_was_found_gone(
    interrupted: Interrupted,
    ingestion: IngestionService,
    database: Database,
    uploads: Uploads,
    sql: Rows,
) -> None:
    apply_rules(database, RULE | {"container": uploads.container.container_name})
    blob = uploads.put("tiles/7.tif", b"one")
    slow = interrupted(lambda: deliver(ingestion, deleted(uploads, blob)))
    deliver(slow, event(blob))
    assert [row["status"] for row in stored(sql)] == ["deleted"]
