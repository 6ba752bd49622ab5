"""Files that events of the audit trail are exported to."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Generic, TypeVar, assert_never

import rfc8785
from pydantic import JsonValue

from shared.models.audit import AuditEvent
from shared.models.audit_exports import ExportFormat

Item = TypeVar("Item")

Event = Mapping[str, JsonValue]
"""An event as its JSON has it."""

COLUMNS = tuple(AuditEvent.model_fields)
DETAILS = "details"
"""Of any form: as JSON in a column."""

_TOLD_EACH = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")  # noqa: RUF001 - wide ones count
"""What a spreadsheet takes for the beginning of a formula, and the mark that keeps it from that.
https://owasp.org/www-community/attacks/CSV_Injection"""


class Counted(Generic[Item]):
    """Events as they are gone through, of which somebody is told how many."""

    def __init__(self, events: Iterable[Item], tell: Callable[[int], None]) -> None:
        self._events = events
        self._tell = tell
        self.count = 0

    def __iter__(self) -> Iterator[Item]:
        for event in self._events:
            self.count += 1
            if self.count % _TOLD_EACH == 0:
                self._tell(self.count)
            yield event
        self._tell(self.count)


def write_events(events: Iterable[Event], form: ExportFormat, file: BinaryIO) -> None:
    """Write events as they come, in bounded memory; the file stays open.

    Raises ModuleNotFoundError for Parquet where pyarrow is not installed.
    """
    match form:
        case ExportFormat.JSON:
            _write_json(events, file)
        case ExportFormat.JSONL:
            file.writelines(canonical(event) + b"\n" for event in events)
        case ExportFormat.CSV:
            _write_csv(events, file)
        case ExportFormat.PARQUET:
            from shared.services.audit_parquet import write_parquet  # noqa: PLC0415 - an extra

            write_parquet(events, file)
        case _:
            assert_never(form)


def event_of(text: str) -> Event:
    """An event out of its JSON."""
    event: dict[str, JsonValue] = json.loads(text)
    return event


def canonical(value: Any) -> bytes:
    """A value out of JSON as RFC 8785 writes it, where all numbers are doubles."""
    return rfc8785.dumps(json.loads(json.dumps(value), parse_int=float))


def _write_json(events: Iterable[Event], file: BinaryIO) -> None:
    opening = b"["
    for event in events:
        file.write(opening + b"\n" + canonical(event))
        opening = b","
    file.write(b"[]\n" if opening == b"[" else b"\n]\n")


def _write_csv(events: Iterable[Event], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        writer.writerows([_cell(name, event.get(name)) for name in COLUMNS] for event in events)
    finally:
        text.detach()  # else it would close the file


def _cell(name: str, value: JsonValue) -> str:
    if name == DETAILS:
        return canonical(value).decode()
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    is_risky = isinstance(value, str) and text.lstrip(" ").startswith(_FORMULA)
    return f"'{text}" if is_risky else text
