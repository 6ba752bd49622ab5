"""YAML as users give it: what could be understood in two ways is refused, not guessed.

Plain text, numbers as JSON has them, `true`, `false` and `null` are read; all that YAML 1.1, YAML
1.2 or their readers disagree about (`no`, `010`, `1:30`, dates) is asked for in quotes. Anchors,
aliases and tags are not read at all: a few lines of aliases can stand for gigabytes.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml
from pydantic import JsonValue
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cli.strict_input import parse_strict_json

_DEEPEST = 100
_TEXT = "tag:yaml.org,2002:str"
_NULLS = frozenset({"", "~", "null"})
_JSON = re.compile(r"true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NUMBER = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|0o[0-7]+")
"""What YAML 1.2 takes for a number, whatever its readers do."""

# Written in C where the package was built so; both speak of the same marks and tags.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_yaml: Any = yaml  # its stubs say nothing of what these give


class YamlDocument:
    """A document and where in it everything stands."""

    def __init__(self, text: str) -> None:
        """Raises ValueError, which says the line, for what is no YAML or more than plain YAML."""
        try:
            _refuse_more_than_values(text)
            self._root = _compose(text)
        except yaml.MarkedYAMLError as error:
            _refuse_unreadable(text, error)
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from None
        self.value = None if self._root is None else _value(self._root)

    def line_of(self, pointer: str) -> int | None:
        """The line, counted from 1, of what a JSON pointer leads to, or the nearest around it."""
        if self._root is None:
            return None
        node, line = self._root, self._root.start_mark.line
        for part in pointer.split("/")[1:]:
            step = _step(node, part.replace("~1", "/").replace("~0", "~"))
            if step is None:
                break
            node, line = step
        return line + 1


def _refuse(told: str, mark: Any) -> NoReturn:
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    raise ValueError(place + told)


def _refuse_unreadable(text: str, error: yaml.MarkedYAMLError) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    told = f"{error.context or ''} {error.problem or ''}".strip()
    lines = text.splitlines()[mark.line : mark.line + 1] if mark else []
    # Templates often begin with a brace, which YAML takes for the beginning of an object.
    hint = "; text that begins with '{' is written in quotes" if ": {" in "".join(lines) else ""
    _refuse(told + hint, mark)


def _refuse_more_than_values(text: str) -> None:
    """Look at the document as a stream, before anything is built of it."""
    depth = documents = 0
    for event in _events(text):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > _DEEPEST:
            _refuse("nested too deep", event.start_mark)
        if documents > 1:
            _refuse("a second document begins", event.start_mark)
        if getattr(event, "anchor", None) is not None:
            _refuse("anchors and aliases are not read: write it out", event.start_mark)
        if getattr(event, "tag", None) is not None:
            _refuse("tags are not read", event.start_mark)


def _events(text: str) -> Iterator[Any]:
    return _yaml.parse(text, Loader=_Loader)


def _compose(text: str) -> Node | None:
    return _yaml.compose(text, Loader=_Loader)


def _value(node: Node) -> JsonValue:
    match node:
        case ScalarNode():
            return _scalar(node)
        case SequenceNode():
            return [_value(item) for item in node.value]
        case MappingNode():
            return _members(node)
        case _:
            raise AssertionError  # there are no other nodes


def _members(node: MappingNode) -> dict[str, JsonValue]:
    members: dict[str, JsonValue] = {}
    for key, value in node.value:
        name = _value(key)
        if not isinstance(name, str):
            _refuse("a member's name is text: write it in quotes", key.start_mark)
        if name in members:
            _refuse("a member is given twice", key.start_mark)
        members[name] = _value(value)
    return members


def _scalar(node: ScalarNode) -> JsonValue:
    text = str(node.value)
    is_text = node.tag == _TEXT
    if node.style or (is_text and not _NUMBER.fullmatch(text)):
        return text
    if text in _NULLS:
        return None
    if is_text or not _JSON.fullmatch(text):
        _refuse("this can be read in two ways: write it in quotes, or as JSON", node.start_mark)
    try:
        return parse_strict_json(text)
    except ValueError as error:
        _refuse(str(error), node.start_mark)


def _step(node: Node, part: str) -> tuple[Node, int] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == part:
                return value, key.start_mark.line
    if isinstance(node, SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item, item.start_mark.line
    return None
