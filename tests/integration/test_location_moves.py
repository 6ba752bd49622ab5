"""Blobs that were renamed: registered by their new name, or followed there."""

import itertools
from collections.abc import Generator, Iterator

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.blobs import BlobProperties
from shared.models.registrations import Outcome
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
    renamed,
    set_aside,
    stored,
    told,
)
from tests.integration.registering import hash_of
from tests.integration.uploads import Uploads

Rows = psycopg.Connection[DictRow]


def rename(uploads: Uploads, old: str, new: str) -> bytes:
    """What a Data Lake does in one step, which Azurite cannot; answers with its event."""
    content = uploads.container.download_blob(old).readall()
    blob = uploads.put(new, content)
    uploads.container.delete_blob(old)
    return renamed(uploads.reference(old), blob)


def places(sql: Rows) -> list[tuple[str, str, bool]]:
    """Where artifacts are, which are current, and whether they are missing there."""
    return [
        (row["blob_path"], row["status"], row["missing_since"] is not None) for row in stored(sql)
    ]


@pytest.fixture
def one_asset(database: Database, uploads: Uploads) -> None:
    """A rule by which the folder says nothing about what a blob is."""
    apply_one_asset(database, uploads)


def apply_one_asset(database: Database, uploads: Uploads, **changes: str) -> None:
    rule = {
        "name": "by-file-name",
        "container": uploads.container.container_name,
        "path": "{folder}/{file}",
        "client_type": "file",
        "client_refs": {"file": "{file}"},
    }
    apply_rules(database, rule | changes)


def test_without_a_rule_a_renamed_blob_is_another_asset(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    deliver(ingestion, *[rename(uploads, "a/x", "b/x")] * 2)
    assert sorted(places(sql)) == [("a/x", "active", True), ("b/x", "active", False)]


@pytest.mark.usefixtures("one_asset")
def test_an_artifact_follows_its_bytes_where_both_names_are_one_asset(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    (before,) = stored(sql)
    deliver(ingestion, *[rename(uploads, "a/x", "b/x")] * 3)
    (after,) = stored(sql)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        *("blob_path", "blob_etag", "location_key", "uri", "observation", "updated_at")
    }
    assert after["uri"].endswith("/b/x")
    row = sql.execute("SELECT * FROM registry.outbox WHERE operation = 'location_moved'").fetchone()
    assert row
    assert row["details"]["before"]["blob_path"] == "a/x"
    assert row["details"]["after"]["blob_path"] == "b/x"
    assert operations(sql)[1:] == ["artifact_creation", "location_moved"]
    assert set_aside(sql) == []


@pytest.mark.usefixtures("one_asset")
def test_the_order_of_renames_does_not_matter(
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    uploads: Uploads,
    sql: Rows,
) -> None:
    service = over(BlobStore(azurite.connection_string), database, artifacts, clock)
    for number, order in enumerate(itertools.permutations(range(3))):
        name = f"{number}.tif"
        created = event(uploads.put(f"a/{name}", name.encode()))
        deliver(service, created)
        events = [created, rename(uploads, f"a/{name}", f"b/{name}")]
        events.append(rename(uploads, f"b/{name}", f"c/{name}"))
        deliver(service, *(events[index] for index in order))
    assert sorted(places(sql)) == [(f"c/{number}.tif", "active", False) for number in range(6)]


@pytest.mark.usefixtures("one_asset")
@pytest.mark.parametrize("is_deleted_first", [True, False])
def test_a_blob_that_was_copied_and_deleted_has_moved_too(
    ingestion: IngestionService, uploads: Uploads, sql: Rows, is_deleted_first: bool
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    rename(uploads, "a/x", "b/x")
    events = [
        event(uploads.reference("b/x")),
        told("BlobDeleted", uploads.reference("a/x"), api="DeleteBlob"),
    ]
    deliver(ingestion, *(reversed(events) if is_deleted_first else events))
    assert places(sql) == [("b/x", "active", False)]


@pytest.mark.usefixtures("one_asset")
def test_a_copy_beside_the_blob_moves_nothing(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")), event(uploads.put("b/x", b"one")))
    assert places(sql) == [("a/x", "active", False)]


@pytest.mark.usefixtures("one_asset")
def test_other_bytes_under_the_new_name_supersede(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    notice = rename(uploads, "a/x", "b/x")
    uploads.put("b/x", b"two")
    deliver(ingestion, notice)
    assert places(sql) == [("a/x", "superseded", True), ("b/x", "active", False)]


def test_a_renamed_blob_is_no_new_revision_even_where_equal_bytes_are_registered(
    ingestion: IngestionService, database: Database, uploads: Uploads, sql: Rows
) -> None:
    apply_one_asset(database, uploads, same_bytes="register")
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    notice = rename(uploads, "a/x", "b/x")
    deliver(ingestion, notice, event(uploads.reference("b/x")))
    assert places(sql) == [("b/x", "active", False)]


@pytest.mark.usefixtures("one_asset")
def test_a_blob_may_move_to_and_fro(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    there = rename(uploads, "a/x", "b/x")
    deliver(ingestion, there)
    deliver(ingestion, rename(uploads, "b/x", "a/x"), there)
    assert places(sql) == [("a/x", "active", False)]
    uploads.put("a/x", b"two")
    deliver(ingestion, event(uploads.reference("a/x")))
    assert [status for _, status, _ in places(sql)] == ["superseded", "active"]


def test_where_nothing_is_left_of_a_renamed_blob_its_old_name_is_missing(
    ingestion: IngestionService, uploads: Uploads, sql: Rows
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    notice = rename(uploads, "a/x", "b/x")
    uploads.container.delete_blob("b/x")
    deliver(ingestion, notice)
    assert places(sql) == [("a/x", "active", True)]
    assert [kept["reason"] for kept in set_aside(sql)] == ["blob_not_found"]


class ReadSlowly(BlobStore):
    """A store whose reader is overtaken after its last byte, the first time."""

    def __init__(self, connection_string: str, name: str) -> None:
        super().__init__(connection_string)
        self._name = name
        self.overtake: Iterator[None] = iter(())

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        yield from super().read(properties)
        if properties.reference.path == self._name:
            next(self.overtake, None)


@pytest.mark.usefixtures("one_asset")
def test_a_late_reader_does_not_win_where_the_artifact_was_before_it_moved(
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    ingestion: IngestionService,
    uploads: Uploads,
    sql: Rows,
) -> None:
    deliver(ingestion, event(uploads.put("z/x", b"zero")))
    store = ReadSlowly(azurite.connection_string, "a/x")
    slow = over(store, database, artifacts, clock)

    def overtake() -> Generator[None]:
        deliver(ingestion, event(uploads.put("a/x", b"two")))
        deliver(ingestion, rename(uploads, "a/x", "b/x"))
        yield

    store.overtake = overtake()
    blob = uploads.put("a/x", b"one")
    assert slow.register_blob(blob, ORIGIN).outcome is Outcome.STALE
    assert places(sql)[-1] == ("b/x", "active", False)
    assert stored(sql)[-1]["content_hash"] == hash_of("two")


@pytest.mark.usefixtures("one_asset")
def test_a_state_that_is_overwritten_while_it_moves_is_superseded(
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    ingestion: IngestionService,
    uploads: Uploads,
    sql: Rows,
) -> None:
    deliver(ingestion, event(uploads.put("a/x", b"one")))
    notice = rename(uploads, "a/x", "b/x")
    store = ReadSlowly(azurite.connection_string, "b/x")

    def overtake() -> Generator[None]:
        deliver(ingestion, event(uploads.put("b/x", b"two")))
        yield

    store.overtake = overtake()
    deliver(over(store, database, artifacts, clock), notice)
    assert places(sql)[-1] == ("b/x", "active", False)
    assert stored(sql)[-1]["content_hash"] == hash_of("two")
    assert [row["revision"] for row in stored(sql)] == [1, 2]


def test_blobs_of_other_accounts_stay_where_they_are(
    ingestion: IngestionService, artifacts: ArtifactService, uploads: Uploads, sql: Rows
) -> None:
    blob = uploads.put("a", b"one")
    refs = {"account": blob.account, "container": blob.container, "path": "a"}
    artifacts.create_artifact(
        client_type="blob", client_refs=refs, content_hash=hash_of("one"),
        storage_account="elsewhere", container="c", blob_path="a",
    )  # fmt: skip
    deliver(ingestion, event(blob))
    assert [row["storage_account"] for row in stored(sql)] == ["elsewhere"]
