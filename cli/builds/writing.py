"""Results of `bldst`: lists in boxes, sizes as people say them."""

from collections.abc import Iterable, Mapping

from pydantic import JsonValue
from rich.box import SQUARE
from rich.filesize import pick_unit_and_suffix

from cli.exchange import JsonObject
from cli.output import Output, write_many

Columns = Mapping[str, str]
"""Title to member."""

_UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB", "EB"]


def write_list(values: Iterable[JsonObject], output: Output, columns: Columns) -> None:
    """Write a list; as a table, what its columns name, in a box."""
    if output is Output.TABLE:
        values = (_row(value, columns) for value in values)
    write_many(values, output, list(columns), SQUARE)


def size_text(size: int) -> str:
    """2147483648 as "2.0 GB"."""
    if size == 1:
        return "1 byte"
    unit, suffix = pick_unit_and_suffix(size, _UNITS, 1024)
    return f"{size} bytes" if unit == 1 else f"{size / unit:,.1f} {suffix}"


def _row(value: JsonObject, columns: Columns) -> JsonObject:
    return {title: _shown(member, value.get(member)) for title, member in columns.items()}


def _shown(member: str, value: JsonValue) -> JsonValue:
    return size_text(value) if member == "size_bytes" and isinstance(value, int) else value
