"""Files of rules or policies: read for a request, and what is wrong with them told by line."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pydantic import JsonValue

from cli.exchange import JsonObject, Refused
from cli.misuse import refuse
from cli.strict_input import parse_strict_json

MAXIMUM_BYTES = 1_048_576
"""What one request may hold."""


@dataclass(frozen=True)
class DocumentFile:
    """What a file holds, as it stands: the registry says whether it is what it should be."""

    source: str
    value: JsonObject = field(repr=False)
    line_of: Callable[[str], int | None]
    """The line of what a JSON pointer leads to; None where that is not known."""

    @contextmanager
    def located(self) -> Generator[None]:
        """Let a refusal of what it holds name the lines at fault."""
        try:
            yield
        except Refused as refused:
            errors = refused.problem.get("errors")
            if not isinstance(errors, list):
                raise
            located: JsonObject = {"errors": [self._located(error) for error in errors]}
            raise Refused(refused.status, {**refused.problem, **located}) from None

    def _located(self, error: JsonValue) -> JsonValue:
        pointer = error.get("pointer") if isinstance(error, dict) else None
        if not isinstance(error, dict) or not isinstance(pointer, str):
            return error
        line = self.line_of(pointer)
        place = self.source if line is None else f"{self.source}:{line}"
        return {**error, "pointer": f"{place}: {pointer}"}


def read_document_file(source: str, member: str) -> DocumentFile:
    """A file of YAML or JSON, or what stdin holds for `-`; its one member names what it lists.

    Raises Misuse where it is no such file.
    """
    name = "stdin" if source == "-" else source
    text = _text(source, name, member)
    try:
        value, line_of = _parsed(text)
    except ValueError as error:
        refuse(f"{name}: {error}")
    if not isinstance(value, dict) or member not in value:
        refuse(f"{name} holds no {member}: it begins with '{member}:', and a list follows")
    return DocumentFile(name, value, line_of)


def _text(source: str, name: str, member: str) -> str:
    try:
        if source == "-":
            return _decoded(sys.stdin.buffer, name, member)
        with Path(source).open("rb") as file:
            return _decoded(file, name, member)
    except OSError as error:
        refuse(f"{name} cannot be read: {error.strerror}")


def _decoded(file: BinaryIO, name: str, member: str) -> str:
    content = file.read(MAXIMUM_BYTES + 1)
    if len(content) > MAXIMUM_BYTES:
        refuse(f"{name} is larger than 1 MiB, which is more than all {member} may be")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse(f"{name} is not UTF-8")


def _parsed(text: str) -> tuple[JsonValue, Callable[[str], int | None]]:
    if text.lstrip().startswith("{"):
        return parse_strict_json(text), lambda _: None
    from cli.yaml_input import YamlDocument  # noqa: PLC0415 - its library is for this alone

    document = YamlDocument(text)
    return document.value, document.line_of
