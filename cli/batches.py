"""Many registrations out of one input, in requests that the registry takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pydantic import JsonValue

from cli.exchange import JsonObject, json_body
from cli.strict_input import parse_strict_json

MAXIMUM_ITEMS = 1000
MAXIMUM_BYTES = 1_048_576
"""What one request may hold."""
_FRAME = len('{"atomic":false,"artifacts":[]}')


@dataclass(frozen=True)
class Item:
    """A registration as it stands at a position of the input, counted from 1."""

    position: int
    body: bytes
    fault: str | None = None
    """Why it cannot even be sent."""


def read_items(source: BinaryIO) -> Iterator[Item]:
    """JSON Lines, read as they come, or one JSON array, read as a whole.

    Raises ValueError for an array that is no JSON.
    """
    position = 0
    for line in source:
        if not line.strip():
            continue
        if position == 0 and line.lstrip().startswith(b"["):
            yield from _read_array(line + source.read())
            return
        position += 1
        yield _read_line(position, line)


def portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items in order, as many at once as one request may hold."""
    portion: list[Item] = []
    size = _FRAME
    for item in items:
        if portion and (len(portion) == MAXIMUM_ITEMS or size + len(item.body) >= MAXIMUM_BYTES):
            yield portion
            portion, size = [], _FRAME
        portion.append(item)
        size += len(item.body) + 1
    if portion:
        yield portion


def request_body(items: Iterable[Item], *, atomic: bool) -> bytes:
    """The body of one request."""
    flag = b"true" if atomic else b"false"
    return b'{"atomic":%s,"artifacts":[%s]}' % (flag, b",".join(item.body for item in items))


def failure(item: Item) -> JsonObject:
    """What came of an item that was not sent."""
    problem: JsonObject = {"title": "It was not sent", "detail": item.fault}
    return {"position": item.position, "status": "failed", "artifact": None, "problem": problem}


def _read_array(text: bytes) -> Iterator[Item]:
    values = parse_strict_json(text)
    if not isinstance(values, list):
        raise ValueError("it is no array")  # noqa: TRY004 - a fault of the input, not of the code
    for position, value in enumerate(values, start=1):
        yield _item(position, value)


def _read_line(position: int, line: bytes) -> Item:
    try:
        return _item(position, parse_strict_json(line))
    except ValueError as error:
        return Item(position, b"", f"the line is no JSON: {error}")


def _item(position: int, value: JsonValue) -> Item:
    body = json_body(value)
    if _FRAME + len(body) >= MAXIMUM_BYTES:
        return Item(position, b"", "it is larger than a request may be, 1 MiB")
    return Item(position, body)
