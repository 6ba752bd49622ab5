"""Azure Blob Inventory reports, CSV or Parquet, read in pieces from a local file.

What the columns mean is told under "Custom schema fields supported for blob inventory" in the
Azure Storage documentation. A name begins with its container.
"""

import hashlib
import json
from collections.abc import Generator, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from shared.errors import InvalidInput
from shared.models.listed_blobs import BlobScope, ListedBlob, ListedPage, UnreadableRow
from shared.storage.inventory_rows import InventoryRows, Row, open_rows

PAGE_ROWS = 5000

_REQUIRED = ("name", "etag", "content-length")
_NO_BLOB = (("deleted", "true"), ("iscurrentversion", "false"), ("hdi_isfolder", "true"))
_COLUMNS = {
    *_REQUIRED,
    *(name for name, _ in _NO_BLOB),
    *("snapshot", "content-type", "versionid", "accesstier", "metadata", "tags"),
}


class InventoryFile:
    """The blobs of one container in a report, without snapshots, old versions and deleted ones."""

    is_hearsay = True

    def __init__(self, path: Path, scope: BlobScope, *, page_rows: int = PAGE_ROWS) -> None:
        """Raises InvalidInput where the file cannot be read as a report with what is needed."""
        self._path = path
        self._below = f"{scope.container}/{scope.prefix}"
        self._container = f"{scope.container}/"
        self._page_rows = page_rows
        with open_rows(path, _COLUMNS) as rows:
            missing = [name for name in _REQUIRED if name not in rows.columns]
        if missing:
            raise InvalidInput(f"The inventory has no column {', '.join(missing)}.")
        self._identity: str | None = None

    @property
    def identity(self) -> str:
        """Of the file's content: a report of another day is another list."""
        if self._identity is None:
            with self._path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
            self._identity = f"inventory sha256:{digest.hexdigest()}"
        return self._identity

    def pages(self, marker: str | None) -> Generator[ListedPage]:
        """Pages of as many rows; the marker is their number so far."""
        done = int(marker or 0)
        with open_rows(self._path, _COLUMNS) as rows:
            rows.skip(done)
            lines = iter(rows)
            while some := list(islice(lines, self._page_rows)):
                done += len(some)
                is_last = len(some) < self._page_rows
                yield self._page(some, None if is_last else str(done), rows)

    def _page(self, some: Iterable[Row], marker: str | None, rows: InventoryRows) -> ListedPage:
        blobs: list[ListedBlob] = []
        unreadable: list[UnreadableRow] = []
        for row in some:
            name = str(row.get("name") or "")
            if not name.startswith(self._below) or _is_no_blob(row):
                continue
            try:
                blobs.append(_blob(name.removeprefix(self._container), row))
            except ValueError as fault:
                unreadable.append(UnreadableRow(name, str(fault)))
        return ListedPage(blobs, marker, unreadable, rows.progress)


def _is_no_blob(row: Row) -> bool:
    return bool(row.get("snapshot")) or any(
        str(row.get(name)).lower() == value for name, value in _NO_BLOB
    )


def _blob(path: str, row: Row) -> ListedBlob:
    """Raises ValueError where the row does not tell what a blob needs."""
    etag, size = str(row.get("etag") or "").strip('"'), str(row.get("content-length"))
    if not etag or not size.isdecimal():
        raise ValueError("the row has no etag, or no length")
    return ListedBlob(
        path=path,
        etag=etag,
        size_bytes=int(size),
        content_type=row.get("content-type") or None,
        version_id=row.get("versionid") or None,
        tier=row.get("accesstier") or None,
        metadata=_texts(row.get("metadata")),
        tags=_texts(row.get("tags")),
    )


def _texts(told: object) -> dict[str, str]:
    """Metadata or tags: a JSON object as text, or a map of Parquet. Raises ValueError."""
    if not told:
        return {}
    try:
        read: Any = json.loads(told) if isinstance(told, str) else told
        return {str(name): str(value) for name, value in dict(read).items()}
    except (TypeError, RecursionError):
        raise ValueError("its metadata or tags are no object") from None
