"""Events of the audit trail in Parquet. Imported only to write it: pyarrow is an extra."""

# pyarrow carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from shared.services.audit_export import COLUMNS, DETAILS, Event, canonical

_GROUP_ROWS = 10_000
_GROUP_BYTES = 16 * 1024**2
"""Of details, which are most of an event: a group of rows is held until it is full."""

_MOMENTS = {"time", "recorded_at"}
_TYPES = {
    "number": pa.int64(),
    "shard": pa.int8(),
    "success": pa.bool_(),
    **dict.fromkeys(_MOMENTS, pa.timestamp("us", tz="UTC")),
}
_SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])


def write_parquet(events: Iterable[Event], file: BinaryIO) -> None:
    """One row an event, in groups of bounded size."""
    with ParquetWriter(file, _SCHEMA, compression="zstd") as writer:
        for rows in _groups(map(_row, events)):
            writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))


def _row(event: Event) -> dict[str, Any]:
    row: dict[str, Any] = {name: event.get(name) for name in COLUMNS}
    for name in _MOMENTS:
        row[name] = datetime.fromisoformat(str(row[name]))
    row[DETAILS] = canonical(row[DETAILS]).decode()
    return row


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        group.append(row)
        size += len(row[DETAILS])
        if len(group) == _GROUP_ROWS or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group
