"""The path of a blob trigger: a container and a pattern for the names in it."""

import re
from dataclasses import dataclass

from devhost.host.errors import FunctionLoadError

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<parameter>[A-Za-z_][A-Za-z0-9_]*)\}|[{}]|[^{}]+")


@dataclass(frozen=True)
class BlobPathPattern:
    """`container/a-{name}.{ext}`; `{{` and `}}` stand for a brace; no name pattern: every blob.

    A parameter takes as much text as it can, slashes included, as in the real host.
    """

    container: str
    prefix: str
    """What every matching name starts with, so that a listing can be narrowed."""
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, path: str) -> "BlobPathPattern":
        """Raises `FunctionLoadError`."""
        container, _, names = path.strip("/").partition("/")
        if not container or "{" in container:
            raise FunctionLoadError(f"blob path {path!r} does not name its container")
        if not names:
            return cls(container, "", re.compile(".*", re.DOTALL))
        parts = [_part(token, path) for token in _TOKEN.finditer(names)]
        literals = [literal for literal, _ in parts]
        prefix = "".join(literals[: literals.index("")]) if "" in literals else "".join(literals)
        expression = "".join(expression for _, expression in parts)
        return cls(container, prefix, _compile(expression, path))

    def match(self, name: str) -> dict[str, str] | None:
        """The parameters' values, or None when the name does not match."""
        match = self.expression.fullmatch(name)
        return match.groupdict() if match else None


def _part(token: re.Match[str], path: str) -> tuple[str, str]:
    """The token as literal text, empty for a parameter, and as a regular expression."""
    if token["parameter"]:
        return "", f"(?P<{token['parameter']}>.*)"
    text = {"{{": "{", "}}": "}"}.get(token[0], token[0])
    if token[0] in {"{", "}"}:
        raise FunctionLoadError(f"blob path {path!r} has a brace that is not closed or not opened")
    return text, re.escape(text)


def _compile(expression: str, path: str) -> re.Pattern[str]:
    try:
        return re.compile(expression, re.DOTALL)
    except re.error as fault:
        raise FunctionLoadError(f"blob path {path!r} repeats a parameter") from fault
