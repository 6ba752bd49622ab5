"""Every place of an operation's request where a sender may write text."""

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from tests.safety.operations import Draft, Operation, specification

_ANY_NAME = object()
"""Stands in a path into a body for the name of a member, which is text as well."""
_REFERENCE_PATHS = {"/api/admin/artifacts/refs", "/api/admin/artifacts/history"}
_HEADERS = ("X-API-Key", "Authorization", "If-Match", "If-None-Match", "Idempotency-Key")
_HEADERS_NOBODY_READS = ("X-Request-Id", "Referer", "User-Agent", "Cookie", "X-Forwarded-For")


@dataclass(frozen=True)
class Slot:
    """One place; `accepts` tells whether a text there passes for valid, so that it goes further."""

    place: str
    path: tuple[Any, ...]
    schema: Mapping[str, Any]

    def __str__(self) -> str:
        steps = ("*" if step is _ANY_NAME else str(step) for step in self.path)
        return f"{self.place}:{'/'.join(steps)}"

    def accepts(self, text: str) -> bool:
        if {"enum", "const", "format"} & self.schema.keys() or "type" not in self.schema:
            return False
        pattern = self.schema.get("pattern")
        is_long = len(text) > self.schema.get("maxLength", 1_000_000)
        return not is_long and (pattern is None or re.search(pattern, text) is not None)

    def fill(self, draft: Draft, text: str) -> Draft:
        """The request with this text in its place; in a JSON object where one belongs there."""
        is_json = self.schema.get("contentMediaType") == "application/json"
        return self.write(draft, json.dumps({"a": text, text: [text]}) if is_json else text)

    def write(self, draft: Draft, text: str) -> Draft:
        """The request with nothing but this text in its place."""
        name = self.path[0]
        if self.place == "path":
            return replace(draft, path_values={**draft.path_values, name: text})
        if self.place == "query":
            given = {text: "x"} if name is _ANY_NAME else {name: text}
            return replace(draft, query={**draft.query, **given})
        if self.place == "header":
            return replace(draft, headers={**draft.headers, name: text})
        return replace(draft, body=_written(copy.deepcopy(draft.body), self.path, text))


def slots_of(operation: Operation) -> list[Slot]:
    """All places but those of credentials, which every operation has alike."""
    return [*_parameters(operation), *_body(operation)]


def header_slots() -> list[Slot]:
    """Headers that something reads, and some that nothing should."""
    names = (*_HEADERS, *_HEADERS_NOBODY_READS)
    return [Slot("header", (name,), {"type": "string"}) for name in names]


def _parameters(operation: Operation) -> Iterator[Slot]:
    for each in operation.parameters:
        for schema in _texts(each["schema"]) or [{}]:
            yield Slot(each["in"], (each["name"],), _described(schema, each["schema"]))
    if operation.path in _REFERENCE_PATHS:
        yield Slot("query", ("a_reference",), {"type": "string"})
        yield Slot("query", (_ANY_NAME,), {"type": "string"})


def _body(operation: Operation) -> Iterator[Slot]:
    if operation.body_schema is not None:
        for path, schema in _places(operation.body_schema, ()):
            yield Slot("body", path, schema)


def _places(
    schema: Mapping[str, Any], path: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    schema = _resolved(schema)
    kinds: Sequence[Mapping[str, Any]] = schema.get("anyOf", [schema])
    for kind in map(_resolved, kinds):
        if "properties" in kind:
            for name, member in kind["properties"].items():
                yield from _places(member, (*path, name))
        elif kind.get("type") == "array":
            yield from _places(kind["items"], (*path, 0))
        elif kind.get("type") == "string":
            yield path, kind
        elif kind.get("type", "object") == "object":
            yield from _places_of_free_json(path)


def _places_of_free_json(
    path: tuple[Any, ...],
) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    text = {"type": "string"}
    yield (*path, "text"), text
    yield (*path, "deep", "list", 0), text
    yield (*path, _ANY_NAME), text


def _described(schema: Mapping[str, Any], around: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the media type of a text, which may stand around its alternatives."""
    media_type = {name: around[name] for name in ("contentMediaType",) if name in around}
    return {**schema, **media_type}


def _texts(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    kinds = [_resolved(kind) for kind in schema.get("anyOf", [schema])]
    return [kind for kind in kinds if kind.get("type") == "string"]


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    return specification()["components"]["schemas"][name]


def _written(value: Any, path: Sequence[Any], text: str) -> Any:
    """The value with the text at the end of the path; what is missing on the way is made."""
    if not path:
        return text
    step, *rest = path
    if isinstance(step, int):
        return [_written(value[0] if isinstance(value, list) and value else None, rest, text)]
    members = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if step is _ANY_NAME:
        return {**members, text: 1}
    return {**members, step: _written(members.get(step), rest, text)}
