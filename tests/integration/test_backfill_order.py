"""What a backfill lists never wins against what was seen later; cut off, it goes on."""

from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.backfills import Hashing, Tally
from shared.models.listed_blobs import BlobList, ListedPage
from shared.storage.inventory import InventoryFile
from shared.storage.listing import ContainerListing
from tests.integration.backfilling import (
    ORIGIN,
    Backfilling,
    backfilling,
    row,
    stored_by_path,
    write_csv,
)
from tests.integration.messages import stored
from tests.integration.uploads import Uploads

__all__ = ["backfilling"]  # a fixture that is asked for by its name


class Interrupted:
    """A list at whose pages something happens after they were read, before anybody has them."""

    def __init__(self, blobs: BlobList, happens: Callable[[int], object]) -> None:
        self._blobs = blobs
        self._happens = happens
        self.identity, self.is_hearsay = blobs.identity, blobs.is_hearsay
        self.markers: list[str | None] = []

    def pages(self, marker: str | None) -> Generator[ListedPage]:
        self.markers.append(marker)
        for place, page in enumerate(self._blobs.pages(marker)):
            self._happens(place)
            yield page


class KilledError(Exception):
    """Stands for the end of the process."""


def die_at(page: int) -> Callable[[int], None]:
    def happens(place: int) -> None:
        if place == page:
            raise KilledError

    return happens


def inventory(backfilling: Backfilling, path: Path, *names: str, **others: str) -> InventoryFile:
    rows = [row(backfilling.scope.container, name, **others) for name in names]
    return InventoryFile(write_csv(path / "inventory.csv", rows), backfilling.scope, page_rows=2)


def states(sql: psycopg.Connection[DictRow]) -> list[tuple[str, int, str]]:
    rows = sql.execute(
        "SELECT blob_path, revision, blob_etag FROM registry.artifact_records ORDER BY 1, 2"
    )
    return [(each["blob_path"], each["revision"], each["blob_etag"]) for each in rows]


def test_a_state_that_an_event_registered_while_the_page_was_read_stays_current(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"old")

    def overwrite(_: int) -> None:
        uploads.put("a", b"new")
        backfilling.ingestion.register_blob(blob, ORIGIN)

    listed = Interrupted(backfilling.store.listing(backfilling.scope), overwrite)
    assert backfilling.run(listed) == {Tally.STALE: 1, Tally.REFUSED: 0}
    assert states(sql) == [("a", 1, backfilling.store.properties(blob).etag)]


def test_an_overwritten_blob_whose_event_was_lost_gets_a_revision_once(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"old")
    backfilling.ingestion.register_blob(blob, ORIGIN)
    uploads.put("a", b"new")
    for outcome in (Tally.CREATED, Tally.UNCHANGED):
        assert backfilling.run() == {outcome: 1, Tally.REFUSED: 0}
        assert [each["revision"] for each in stored(sql)] == [1, 2]


def test_an_inventory_loses_against_any_state_that_was_seen_before(
    backfilling: Backfilling, uploads: Uploads, tmp_path: Path, sql: psycopg.Connection[DictRow]
) -> None:
    backfilling.ingestion.register_blob(uploads.put("a", b"newer"), ORIGIN)
    [seen] = states(sql)
    listed = inventory(backfilling, tmp_path, "a", "b")
    assert backfilling.run(listed) == {Tally.STALE: 1, Tally.CREATED: 1, Tally.REFUSED: 0}
    assert states(sql)[0] == seen
    assert len(states(sql)) == 2


def test_an_event_wins_against_what_an_inventory_registered(
    backfilling: Backfilling, uploads: Uploads, tmp_path: Path, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"newer")
    listed = inventory(backfilling, tmp_path, "a")
    for expected in (Tally.CREATED, Tally.STALE):
        assert backfilling.run(listed)[expected] == 1
        backfilling.ingestion.register_blob(blob, ORIGIN)
        newest = states(sql)[-1]
        assert newest == ("a", 2, backfilling.store.properties(blob).etag)


@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_backfill_goes_on_where_it_was_cut_off(
    backfilling: Backfilling, tmp_path: Path, sql: psycopg.Connection[DictRow], page: int
) -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    listed = inventory(backfilling, tmp_path, *names)
    with pytest.raises(KilledError):
        backfilling.run(Interrupted(listed, die_at(page)))
    resumed = Interrupted(listed, lambda _: None)
    counts = backfilling.run(resumed)
    assert resumed.markers == [{0: None, 1: None, 2: "2"}[page]]
    assert stored_by_path(sql).keys() == set(names)
    assert sum(counts.values()) == len(names)
    anew = Interrupted(listed, lambda _: None)
    assert backfilling.run(anew) == {Tally.UNCHANGED: 6, Tally.REFUSED: 0}
    assert anew.markers == [None]


def test_a_listing_goes_on_behind_its_last_page(
    backfilling: Backfilling, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    for number in range(7):
        uploads.put(str(number), b"x")
    listed = ContainerListing(uploads.container, page_blobs=2)
    with pytest.raises(KilledError):
        backfilling.run(Interrupted(listed, die_at(3)))
    resumed = Interrupted(listed, lambda _: None)
    backfilling.run(resumed)
    assert resumed.markers[0] is not None
    assert stored_by_path(sql).keys() == set("0123456")


def test_another_way_of_hashing_or_a_restart_begins_anew(
    backfilling: Backfilling, tmp_path: Path
) -> None:
    listed = inventory(backfilling, tmp_path, *"abcdef")
    with pytest.raises(KilledError):
        backfilling.run(Interrupted(listed, die_at(2)))
    other = Interrupted(listed, lambda _: None)
    backfilling.run(other, Hashing.LATER)
    again = Interrupted(listed, lambda _: None)
    backfilling.run(again, restart=True)
    assert other.markers == again.markers == [None]


def test_an_inventory_loses_against_an_artifact_that_has_moved_since(
    backfilling: Backfilling, uploads: Uploads, tmp_path: Path, sql: psycopg.Connection[DictRow]
) -> None:
    backfilling.rule(name="n", path="{folder}/{file}", client_type="f", client_refs={"f": "{file}"})
    backfilling.ingestion.register_blob(uploads.put("a/x", b"x"), ORIGIN)
    uploads.container.delete_blob("a/x")
    moved = backfilling.ingestion.register_blob(uploads.put("b/x", b"x"), ORIGIN)
    assert moved.artifact.blob_path == "b/x"
    counts = backfilling.run(inventory(backfilling, tmp_path, "a/x"))
    assert counts == {Tally.STALE: 1, Tally.REFUSED: 0}
    assert [(each["blob_path"], each["revision"]) for each in stored(sql)] == [("b/x", 1)]


@pytest.mark.parametrize("is_hearsay", [True, False])
def test_a_list_loses_against_the_tier_that_was_seen_since(
    backfilling: Backfilling,
    uploads: Uploads,
    tmp_path: Path,
    sql: psycopg.Connection[DictRow],
    is_hearsay: bool,
) -> None:
    blob = uploads.put("a", b"x")

    def cool(_: int) -> None:
        uploads.container.get_blob_client("a").set_standard_blob_tier("Cool")
        backfilling.ingestion.look_at_blob(blob, ORIGIN)

    etag = backfilling.store.properties(blob).etag
    listed = inventory(backfilling, tmp_path, "a", Etag=etag, AccessTier="Hot")
    known = listed if is_hearsay else backfilling.store.listing(backfilling.scope)
    counts = backfilling.run(Interrupted(known, cool))
    assert counts == {Tally.CREATED: 1, Tally.REFUSED: 0}
    assert [each["storage_tier"] for each in stored(sql)] == ["Cool"]
