"""Results on stdout: tables for people, JSON and YAML for programs; lists as they come."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain, islice

from pydantic import JsonValue
from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.exchange import JsonObject
from cli.printable import printable, printable_lines

_WIDE = 1_000_000
"""Columns where there is no terminal: nothing is cut that a script is to read."""
_ROWS_AT_ONCE = 1000


class Output(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def write_one(value: JsonObject, output: Output) -> None:
    """Write one result; as a table, its members below each other."""
    match output:
        case Output.JSON:
            sys.stdout.write(_as_json(value) + "\n")
        case Output.YAML:
            sys.stdout.write(_as_yaml(value))
        case Output.TABLE:
            rows = [[name, cell(member)] for name, member in value.items()]
            _print_table(rows, ["", ""], first=False)


def write_many(
    values: Iterable[JsonObject],
    output: Output,
    columns: Sequence[str],
    box: Box | None = None,
) -> None:
    """Write a list; as a table, the members that are named, in a box or without."""
    match output:
        case Output.JSON:
            _write_json_list(values)
        case Output.YAML:
            _write_yaml_list(values)
        case Output.TABLE:
            _write_table(values, columns, box)


def cell(value: JsonValue) -> str:
    """What stands in a table, on one line."""
    if value is None:
        return ""
    return printable(value) if isinstance(value, str) else _compact(value)


def _compact(value: JsonValue) -> str:
    return printable(json.dumps(value, ensure_ascii=False))


def _as_json(value: JsonValue) -> str:
    # What is not printable stands in strings only, where an escape means the same.
    return printable_lines(json.dumps(value, ensure_ascii=False, indent=2))


def _as_yaml(value: JsonValue) -> str:
    from cli.yaml_text import as_yaml  # noqa: PLC0415 - its library is for this alone

    return as_yaml(value)


def _write_json_list(values: Iterable[JsonObject]) -> None:
    opening = "["
    for value in values:
        sys.stdout.write(f"{opening}\n{_as_json(value)}")
        opening = ","
    sys.stdout.write("[]\n" if opening == "[" else "\n]\n")


def _write_yaml_list(values: Iterable[JsonObject]) -> None:
    nothing = True
    for value in values:
        sys.stdout.write(_as_yaml([value]))
        nothing = False
    if nothing:
        sys.stdout.write("[]\n")


def _write_table(values: Iterable[JsonObject], columns: Sequence[str], box: Box | None) -> None:
    rows = ([cell(value.get(name)) for name in columns] for value in values)
    some = None
    for place, some in enumerate(_portions(rows)):
        _print_table(some, columns, first=place == 0 or box is not None, box=box)
    if some is None and box is not None:
        _print_table([], columns, first=True, box=box)


def _portions(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    for row in rows:
        yield list(chain([row], islice(rows, _ROWS_AT_ONCE - 1)))


def _print_table(
    rows: Sequence[Sequence[str]], columns: Sequence[str], *, first: bool, box: Box | None = None
) -> None:
    table = Table(*columns, box=box, show_header=first, pad_edge=box is not None)
    for row in rows:
        table.add_row(*(Text(text, overflow="fold") for text in row))
    width = None if sys.stdout.isatty() else _WIDE
    Console(width=width).print(table)
