"""Rows of a report in Parquet. Imported only where there is one: pyarrow is an extra."""

# pyarrow carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from shared.errors import InvalidInput
from shared.storage.inventory_rows import InventoryRows, Row

_BATCH_ROWS = 5000


@contextmanager
def open_parquet(path: Path, wanted: Collection[str]) -> Generator[InventoryRows]:
    """Raises InvalidInput for what is no Parquet, also while it is read."""
    try:
        with ParquetFile(path) as file:
            yield _ParquetRows(file, wanted)
    except ArrowException as error:
        raise InvalidInput("The inventory is no Parquet that can be read.") from error


class _ParquetRows:
    def __init__(self, file: ParquetFile, wanted: Collection[str]) -> None:
        self._file = file
        self._names = [str(name) for name in file.schema_arrow.names if name.lower() in wanted]
        self._count: int = max(file.metadata.num_rows, 1)
        self._skipped = 0
        self._read = 0

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self._names)

    @property
    def progress(self) -> float:
        return min(1.0, self._read / self._count)

    def skip(self, count: int) -> None:
        self._skipped = count

    def __iter__(self) -> Iterator[Row]:
        for batch in self._file.iter_batches(_BATCH_ROWS, columns=self._names):
            begun = self._read
            self._read += int(batch.num_rows)
            if self._read > self._skipped:
                rest = batch.slice(max(self._skipped - begun, 0))
                names = [str(name).lower() for name in rest.schema.names]
                columns = [column.to_pylist() for column in rest.columns]
                yield from (
                    dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)
                )
