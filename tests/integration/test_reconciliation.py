"""Store and registry are compared both ways; what differs is told, and mended where asked."""

from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import BlobNotFound
from shared.models.backfills import Hashing
from shared.models.listed_blobs import BlobScope
from shared.models.reconciliations import Compared, Difference, Finding
from shared.models.registrations import Origin
from shared.services import comparison
from shared.services.artifact_service import ArtifactService
from tests.integration.backfilling import ORIGIN, Backfilling, backfilling
from tests.integration.messages import stored
from tests.integration.uploads import Uploads

__all__ = ["backfilling"]  # a fixture that is asked for by its name

REPAIR = Origin("cli:reconcile")


@dataclass
class Watched:
    """What a comparison said on the way."""

    differences: list[Difference] = field(default_factory=list[Difference])

    def progress(self, so_far: Compared) -> None:
        assert so_far.found.total() == len(self.differences)

    def found(self, difference: Difference) -> None:
        self.differences.append(difference)


def compare(backfilling: Backfilling, prefix: str = "") -> dict[str, Finding]:
    """What differs, by the names of the blobs; fails where a name is told twice."""
    watched = Watched()
    scope = BlobScope(backfilling.scope.account, backfilling.scope.container, prefix)
    compared = backfilling.reconciliation.compare(scope, watched)
    found = {each.path: each.finding for each in watched.differences}
    assert len(found) == len(watched.differences) == compared.remaining
    return found


def repair(backfilling: Backfilling, hashing: Hashing = Hashing.NOW) -> list[Difference]:
    watched = Watched()
    backfilling.reconciliation.repair(backfilling.scope, watched, hashing, REPAIR)
    return watched.differences


@pytest.fixture
def differing(backfilling: Backfilling, uploads: Uploads) -> dict[str, Finding]:
    """A container of which nearly every event was lost."""
    for name in ("same", "d/overwritten", "missing", "returned"):
        backfilling.ingestion.register_blob(uploads.put(name, b"x"), ORIGIN)
    uploads.put("unregistered", b"x")
    uploads.put("d/overwritten", b"longer")
    uploads.container.delete_blob("missing")
    uploads.container.delete_blob("returned")
    backfilling.ingestion.look_at_blob(uploads.reference("returned"), ORIGIN)
    uploads.put("returned", b"x")
    return {
        "unregistered": Finding.UNREGISTERED,
        "d/overwritten": Finding.ETAG,
        "missing": Finding.MISSING,
        "returned": Finding.ETAG,
    }


def test_what_differs_is_told_and_nothing_is_changed(
    backfilling: Backfilling, differing: dict[str, Finding], sql: psycopg.Connection[DictRow]
) -> None:
    before = stored(sql)
    assert compare(backfilling) == differing
    assert stored(sql) == before
    assert not sql.execute("SELECT FROM registry.reconciled").fetchall()


def test_only_what_lies_below_a_prefix_is_compared(
    backfilling: Backfilling, differing: dict[str, Finding]
) -> None:
    assert compare(backfilling, "d/") == {"d/overwritten": Finding.ETAG}
    assert compare(backfilling, "miss") == {"missing": Finding.MISSING}


@pytest.mark.parametrize("hashing", Hashing)
def test_what_is_repaired_differs_no_more(
    backfilling: Backfilling,
    differing: dict[str, Finding],
    sql: psycopg.Connection[DictRow],
    hashing: Hashing,
) -> None:
    told = repair(backfilling, hashing)
    assert {each.path: each.finding for each in told} == differing
    assert all(each.is_repaired for each in told)
    assert compare(backfilling) == {}
    assert repair(backfilling) == []
    missing = [each["blob_path"] for each in stored(sql) if each["missing_since"]]
    assert missing == ["missing"]
    unhashed = {each["blob_path"] for each in stored(sql) if each["content_hash"] is None}
    mended = {"unregistered", "d/overwritten", "returned"}
    assert unhashed == (set() if hashing is Hashing.NOW else mended)


def test_a_blob_that_is_back_as_it_was_is_missing_no_more(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    backfilling.ingestion.register_blob(uploads.put("a", b"x"), ORIGIN)
    sql.execute("UPDATE registry.artifacts SET missing_since = now()")
    assert compare(backfilling) == {"a": Finding.RETURNED}
    assert repair(backfilling) == [Difference("a", Finding.RETURNED, is_repaired=True)]
    assert compare(backfilling) == {}


def test_another_size_of_the_same_state_cannot_be_mended(
    backfilling: Backfilling, uploads: Uploads, artifacts: ArtifactService
) -> None:
    blob = uploads.put("a", b"xyz")
    artifacts.create_artifact(
        client_type="x",
        client_refs={"a": 1},
        storage_account=blob.account,
        container=blob.container,
        blob_path=blob.path,
        blob_etag=backfilling.store.properties(blob).etag,
        size_bytes=7,
    )
    assert compare(backfilling) == {"a": Finding.SIZE}
    assert repair(backfilling) == [Difference("a", Finding.SIZE, is_repaired=False)]


def test_what_was_deleted_on_purpose_does_not_differ(
    backfilling: Backfilling, uploads: Uploads, artifacts: ArtifactService
) -> None:
    kept = backfilling.ingestion.register_blob(uploads.put("kept", b"x"), ORIGIN)
    gone = backfilling.ingestion.register_blob(uploads.put("gone", b"x"), ORIGIN)
    uploads.container.delete_blob("gone")
    for registered in (kept, gone):
        artifacts.mark_deleted(registered.artifact.artifact_id)
    assert compare(backfilling) == {}


def test_older_revisions_of_an_overwritten_blob_do_not_differ(
    backfilling: Backfilling, uploads: Uploads
) -> None:
    for content in (b"1", b"2", b"3"):
        backfilling.ingestion.register_blob(uploads.put("a", content), ORIGIN)
    assert compare(backfilling) == {}


def test_what_rules_refuse_stays_and_says_why(backfilling: Backfilling, uploads: Uploads) -> None:
    uploads.put("bad", b"x", metadata={"registry_nonsense": "1"})
    [told] = repair(backfilling)
    assert (told.finding, told.is_repaired) == (Finding.UNREGISTERED, False)
    assert "registry_nonsense" in str(told.reason)


def test_a_name_that_no_blob_can_have_is_missing_for_good(
    backfilling: Backfilling, artifacts: ArtifactService, uploads: Uploads
) -> None:
    artifacts.create_artifact(
        client_type="x",
        client_refs={"a": 1},
        storage_account=backfilling.scope.account,
        container=backfilling.scope.container,
        blob_path="../x",
    )
    assert repair(backfilling) == [Difference("../x", Finding.MISSING, is_repaired=False)]


def test_pages_miss_nothing(
    backfilling: Backfilling, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "_PAGE", 2)
    for number in range(7):
        backfilling.ingestion.register_blob(uploads.put(str(number), b"x"), ORIGIN)
    for name in "0246":
        uploads.container.delete_blob(name)
    uploads.put("7", b"x")
    uploads.put("8", b"x")
    expected = dict.fromkeys("0246", Finding.MISSING) | dict.fromkeys("78", Finding.UNREGISTERED)
    assert compare(backfilling) == expected


def test_notes_of_runs_that_died_are_forgotten_after_a_week(
    backfilling: Backfilling, sql: psycopg.Connection[DictRow]
) -> None:
    old, young = "01000000-0000-7000-8000-000000000000", "019fffff-0000-7000-8000-000000000000"
    sql.execute("INSERT INTO registry.reconciled VALUES (%s, %s), (%s, %s)", [old, old, young, old])
    compare(backfilling)
    kept = sql.execute("SELECT run_id::text FROM registry.reconciled").fetchall()
    assert kept == [{"run_id": young}]


def test_a_missing_container_is_said_and_nothing_is_taken_for_missing(
    backfilling: Backfilling, sql: psycopg.Connection[DictRow]
) -> None:
    nowhere = BlobScope(backfilling.scope.account, "missing-container")
    with pytest.raises(BlobNotFound):
        backfilling.reconciliation.repair(nowhere, Watched(), Hashing.NOW, REPAIR)
    assert not sql.execute("SELECT FROM registry.reconciled").fetchall()
