"""What applying a document changes, as a person reads it."""

import difflib
from collections.abc import Iterable, Iterator
from itertools import islice

from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

from cli.exchange import JsonObject
from cli.pages import objects
from cli.printable import printable

_WHOLE = 1_000_000
"""Lines of context: a changed line stands under what it belongs to."""
_HEADERS = 3
_STYLES = {"+": "green", "-": "red"}


def write_diff(noun: str, changes: JsonObject, console: Console) -> None:
    """Every item that is added, changed or removed, line by line, in the form of the file."""
    for line in diff_lines(noun, changes):
        console.print(Text(line, _STYLES.get(line[:1], "")), soft_wrap=True)


def diff_lines(noun: str, changes: JsonObject) -> Iterator[str]:
    """The same as text; `noun` is what an item is called."""
    for item in objects(changes.get("added")):
        yield from _of_item(noun, "added", item.get("name"), None, item)
    for change in objects(changes.get("changed")):
        states = change.get("before"), change.get("after")
        yield from _of_item(noun, "changed", change["name"], *states)
    for item in objects(changes.get("removed")):
        yield from _of_item(noun, "removed", item.get("name"), item, None)


def are_any(changes: JsonObject) -> bool:
    """Whether applying would do anything."""
    return any(changes.get(kind) for kind in ("added", "changed", "removed"))


def summary(changes: JsonObject) -> JsonObject:
    """The changes by name, as they fit into a table."""
    named = {kind: _names(objects(changes.get(kind))) for kind in ("added", "changed", "removed")}
    return {"version": changes.get("version"), **named, "unchanged": changes.get("unchanged")}


def _names(items: Iterable[JsonObject]) -> str:
    return ", ".join(str(item.get("name")) for item in items)


def _of_item(
    noun: str, what: str, name: JsonValue, before: JsonValue, after: JsonValue
) -> Iterator[str]:
    yield f"{noun} {printable(str(name))}: {what}"
    compared = difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=_WHOLE)
    yield from islice(compared, _HEADERS, None)


def _lines(item: JsonValue) -> list[str]:
    from cli.yaml_text import as_yaml  # noqa: PLC0415 - its library is for this alone

    return [] if item is None else as_yaml(item).splitlines()
