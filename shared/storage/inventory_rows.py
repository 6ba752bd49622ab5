"""Rows of a report as they come, by column: the little that CSV and Parquet do differently."""

import csv
import os
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TextIO

from shared.errors import InvalidInput

_PARQUET = b"PAR1"
_LONGEST_FIELD = 1024 * 1024
"""Of a CSV: a blob's whole metadata stands in one, and may have 8 KiB."""

Row = Mapping[str, Any]


class InventoryRows(Protocol):
    """The wanted columns of the rows in the order of the file, by their names in lower case."""

    @property
    def columns(self) -> frozenset[str]:
        """Those of the wanted ones that the file has."""
        ...

    @property
    def progress(self) -> float:
        """Which part of the file is read, from 0 to 1."""
        ...

    def skip(self, count: int) -> None:
        """Leave out the first so many rows."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


@contextmanager
def open_rows(path: Path, wanted: Collection[str]) -> Generator[InventoryRows]:
    """Raises InvalidInput for what cannot be opened or read, also while it is read."""
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        with (_open_parquet if is_parquet else _open_csv)(path, wanted) as rows:
            yield rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"The inventory cannot be read: {error}") from error


@contextmanager
def _open_csv(path: Path, wanted: Collection[str]) -> Generator[InventoryRows]:
    csv.field_size_limit(_LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield _CsvRows(file, wanted)


@contextmanager
def _open_parquet(path: Path, wanted: Collection[str]) -> Generator[InventoryRows]:
    try:
        from shared.storage.inventory_parquet import open_parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise InvalidInput(
            "Reading Parquet needs pyarrow: install the extra 'inventory', or write CSV."
        ) from None
    with open_parquet(path, wanted) as rows:
        yield rows


class _CsvRows:
    def __init__(self, file: TextIO, wanted: Collection[str]) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size or 1
        self._lines = csv.reader(file)
        names = [name.strip().lower() for name in next(self._lines, ())]
        self._places = {name: place for place, name in enumerate(names) if name in wanted}

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(self._places)

    @property
    def progress(self) -> float:
        # The text's own position cannot be asked for while lines are read from it.
        return min(1.0, os.lseek(self._file.fileno(), 0, os.SEEK_CUR) / self._size)

    def skip(self, count: int) -> None:
        next(islice(self._lines, count, count), None)

    def __iter__(self) -> Iterator[Row]:
        places = self._places.items()
        for line in self._lines:
            yield {name: line[place] for name, place in places if place < len(line)}
