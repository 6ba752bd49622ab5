"""Azure Blob Inventory reports: the same blobs from CSV and from Parquet."""

# pyarrow carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import csv
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.errors import InvalidInput
from shared.models.listed_blobs import BlobScope, ListedBlob, ListedPage
from shared.storage.inventory import InventoryFile

SCOPE = BlobScope("account", "container", "")
PLAIN = {"Name": "container/a b/ü.tif", "Etag": "0x8D1", "Content-Length": "7"}
Row = dict[str, Any]
Write = Callable[[Path, Sequence[Row]], Path]


def as_csv(path: Path, rows: Sequence[Row]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_parquet(path: Path, rows: Sequence[Row]) -> Path:
    names = dict.fromkeys(name for row in rows for name in row)
    table = pa.table({name: [_typed(name, row.get(name)) for row in rows] for name in names})
    pq.write_table(table, path, row_group_size=3)
    return path


def _typed(name: str, text: str | None) -> Any:
    """Lengths and truths have types of their own in Parquet."""
    if name == "Content-Length" and text and text.isdecimal():
        return int(text)
    return {"true": True, "false": False}.get(text or "", text)


both = pytest.mark.parametrize("write", [as_csv, as_parquet])


def blobs(path: Path, scope: BlobScope = SCOPE) -> list[ListedBlob]:
    return [blob for page in InventoryFile(path, scope).pages(None) for blob in page.blobs]


def pages(path: Path, marker: str | None, page_rows: int) -> list[ListedPage]:
    return list(InventoryFile(path, SCOPE, page_rows=page_rows).pages(marker))


@both
def test_a_row_tells_of_a_blob(write: Write, tmp_path: Path) -> None:
    row = PLAIN | {
        "Etag": '"0x8D1"',
        "Content-Type": "image/tiff",
        "AccessTier": "Cool",
        "VersionId": "2026-01-01T00:00:00.0000000Z",
        "IsCurrentVersion": "true",
        "Metadata": '{"registry_stage": "candidate"}',
        "Tags": '{"registry_metadata_k": "v, w"}',
    }
    assert blobs(write(tmp_path / "i", [row])) == [
        ListedBlob(
            path="a b/ü.tif",
            etag="0x8D1",
            size_bytes=7,
            content_type="image/tiff",
            version_id="2026-01-01T00:00:00.0000000Z",
            tier="Cool",
            metadata={"registry_stage": "candidate"},
            tags={"registry_metadata_k": "v, w"},
        )
    ]


@both
def test_what_is_not_there_stays_unknown(write: Write, tmp_path: Path) -> None:
    assert blobs(write(tmp_path / "i", [PLAIN])) == [ListedBlob("a b/ü.tif", "0x8D1", 7)]


@both
@pytest.mark.parametrize(
    "other",
    [
        {"Snapshot": "2026-01-01T00:00:00.0000000Z"},
        {"IsCurrentVersion": "false"},
        {"Deleted": "true"},
        {"hdi_isfolder": "true"},
        {"Name": "container2/a.tif"},
        {"Name": "container"},
    ],
)
def test_what_is_no_blob_of_the_container_now_is_left_out(
    write: Write, tmp_path: Path, other: Row
) -> None:
    kept = {"Snapshot": "", "IsCurrentVersion": "true", "Deleted": "false", "hdi_isfolder": "false"}
    assert len(blobs(write(tmp_path / "i", [PLAIN | kept, PLAIN | kept | other]))) == 1


@both
def test_a_prefix_chooses(write: Write, tmp_path: Path) -> None:
    rows = [PLAIN | {"Name": f"container/{name}"} for name in ("a/1", "a/2", "ab", "b")]
    below = BlobScope("account", "container", "a/")
    assert [blob.path for blob in blobs(write(tmp_path / "i", rows), below)] == ["a/1", "a/2"]


@both
def test_a_row_that_does_not_say_enough_is_told_and_the_others_are_read(
    write: Write, tmp_path: Path
) -> None:
    bad = [
        {"Etag": ""},
        {"Content-Length": None},
        {"Metadata": "[1]"},
        {"Tags": "{"},
        {"Tags": "[" * 5000},
    ]
    told = {"Metadata": "", "Tags": ""}
    rows = [
        PLAIN | told | other | {"Name": f"container/{place}"} for place, other in enumerate(bad)
    ]
    [page] = pages(write(tmp_path / "i", [*rows, PLAIN | told]), None, 100)
    assert len(page.blobs) == 1
    assert [row.name for row in page.unreadable] == [row["Name"] for row in rows]


@both
@pytest.mark.parametrize("page_rows", [1, 3, 4, 10, 11])
def test_every_page_says_where_the_next_begins(
    write: Write, tmp_path: Path, page_rows: int
) -> None:
    rows = [PLAIN | {"Name": f"container/{number}"} for number in range(10)]
    path = write(tmp_path / "i", rows)
    whole = pages(path, None, page_rows)
    names = [blob.path for page in whole for blob in page.blobs]
    assert names == [str(number) for number in range(10)]
    for place, page in enumerate(whole[:-1]):
        assert pages(path, page.marker, page_rows) == whole[place + 1 :]
    parts = [page.progress for page in whole]
    assert parts == sorted(parts, key=lambda part: part or 0)
    assert parts[-1] == 1


@both
@pytest.mark.parametrize("missing", ["Name", "Etag", "Content-Length"])
def test_a_report_without_what_is_needed_is_refused(
    write: Write, tmp_path: Path, missing: str
) -> None:
    row = {name: text for name, text in PLAIN.items() if name != missing}
    with pytest.raises(InvalidInput, match=missing.lower()):
        InventoryFile(write(tmp_path / "i", [row]), SCOPE)


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more", b"\xff\xfe\x00", b"a" * (2**20 + 1)])
def test_what_is_no_report_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "i"
    path.write_bytes(content)
    with pytest.raises(InvalidInput):
        InventoryFile(path, SCOPE)


def test_a_line_that_no_blob_could_fill_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "i", [PLAIN])
    with path.open("a") as file:
        file.write(f"container/x,{'a' * (2**20 + 1)},7\n")
    with pytest.raises(InvalidInput):
        blobs(path)


def test_without_pyarrow_a_parquet_file_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_parquet(tmp_path / "i", [PLAIN])
    monkeypatch.delitem(sys.modules, "shared.storage.inventory_parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidInput, match="install the extra 'inventory'"):
        InventoryFile(path, SCOPE)


def test_a_map_of_parquet_is_metadata_too(tmp_path: Path) -> None:
    told = pa.array([[("k", "v")]], type=pa.map_(pa.string(), pa.string()))
    columns = {name: pa.array([text]) for name, text in PLAIN.items()}
    pq.write_table(pa.table(columns | {"Metadata": told}), tmp_path / "i")
    assert [blob.metadata for blob in blobs(tmp_path / "i")] == [{"k": "v"}]


def test_another_content_is_another_list(tmp_path: Path) -> None:
    identities = {
        InventoryFile(as_csv(tmp_path / "i", [PLAIN] * count), SCOPE).identity for count in (1, 2)
    }
    assert len(identities) == 2
