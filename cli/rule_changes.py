"""What applying rules changes, as a person reads it."""

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


def write_diff(changes: JsonObject, console: Console) -> None:
    """Every rule that is added, changed or removed, line by line, in the form of the file."""
    for line in diff_lines(changes):
        console.print(Text(line, _STYLES.get(line[:1], "")), soft_wrap=True)


def diff_lines(changes: JsonObject) -> Iterator[str]:
    """The same as text."""
    for rule in objects(changes.get("added")):
        yield from _of_rule("added", rule.get("name"), None, rule)
    for change in objects(changes.get("changed")):
        yield from _of_rule("changed", change["name"], change.get("before"), change.get("after"))
    for rule in objects(changes.get("removed")):
        yield from _of_rule("removed", rule.get("name"), rule, None)


def are_any(changes: JsonObject) -> bool:
    """Whether applying would do anything."""
    return any(changes.get(kind) for kind in ("added", "changed", "removed"))


def summary(changes: JsonObject) -> JsonObject:
    """The changes by name, as they fit into a table."""
    named = {kind: _names(objects(changes.get(kind))) for kind in ("added", "changed", "removed")}
    return {"version": changes.get("version"), **named, "unchanged": changes.get("unchanged")}


def _names(rules: Iterable[JsonObject]) -> str:
    return ", ".join(str(rule.get("name")) for rule in rules)


def _of_rule(what: str, name: JsonValue, before: JsonValue, after: JsonValue) -> Iterator[str]:
    yield f"rule {printable(str(name))}: {what}"
    compared = difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=_WHOLE)
    yield from islice(compared, _HEADERS, None)


def _lines(rule: JsonValue) -> list[str]:
    from cli.yaml_text import as_yaml  # noqa: PLC0415 - its library is for this alone

    return [] if rule is None else as_yaml(rule).splitlines()
