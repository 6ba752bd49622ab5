"""Templates of blob names, and of the values that are made from what they find.

There are no regular expressions of users here: a path template reads a name in one way only (see
`shared.models.segments`), and one that could do otherwise is refused when it is parsed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from pydantic import JsonValue

from shared.errors import InvalidInput
from shared.models.segments import Alternatives, Free, Integer, Piece, Segment

BUILT_IN = ("account", "container", "path", "filename")
"""Names that every value template may use; a path template binds none of them."""

Values = Mapping[str, str | int]
"""What names stand for."""

LONGEST_TEMPLATE = 1024
"""Characters."""
_MOST = 20
_TOKEN = re.compile(
    r"(?P<text>(?:[^{}]|\{\{|\}\})+)|\{(?P<inside>[^{}]*)\}|(?P<stray>[{}])", re.DOTALL
)
_PLACEHOLDER = re.compile(r"(\*?)([a-z][a-z0-9_]{0,49})(?::(.*))?", re.DOTALL)
INTEGER = re.compile("0|[1-9][0-9]{0,17}")
_NAME_RULE = "a name begins with a-z and has up to 50 of a-z, 0-9 and _"


@dataclass(frozen=True)
class _Inside:
    """What stands between the braces of a placeholder."""

    text: str

    def __str__(self) -> str:
        return f"{{{self.text}}}" if len(self.text) <= 60 else f"{{{self.text[:60]}…"


@dataclass(frozen=True)
class _Star:
    name: str


_PathPiece = Piece | _Star


@dataclass(frozen=True)
class _Rest:
    """`{*name}` and the text around it in its segment; it takes further segments in."""

    prefix: str
    name: str
    suffix: str

    def read(self, text: str, found: dict[str, str]) -> bool:
        found[self.name] = text[len(self.prefix) : len(text) - len(self.suffix)]
        fits = text.startswith(self.prefix) and text.endswith(self.suffix)
        return fits and len(text) > len(self.prefix) + len(self.suffix)


@dataclass(frozen=True)
class PathTemplate:
    """A template of blob names, like `{dataset}/{version:int}/{kind:dem|ortho}/{*rest}.tif`."""

    names: frozenset[str]
    _integers: frozenset[str]
    _readers: tuple[Segment | _Rest, ...]
    _rest: int | None
    """Which of the readers takes what the others leave."""

    @classmethod
    @lru_cache(maxsize=64)  # a rule is checked, and then gone by
    def parse(cls, text: str) -> Self:
        """Read a template; raises InvalidInput where it is malformed or ambiguous."""
        segments = _segments(text)
        placeholders = [p for pieces in segments for p in pieces if not isinstance(p, str)]
        readers = tuple(map(_reader, segments))
        rests = [place for place, reader in enumerate(readers) if isinstance(reader, _Rest)]
        if len(rests) > 1:
            raise InvalidInput("A path has one {*…} at most: two could share a name in many ways.")
        return cls(
            _names_of(placeholders),
            frozenset(p.name for p in placeholders if isinstance(p, Integer)),
            readers,
            rests[0] if rests else None,
        )

    def match(self, path: str) -> dict[str, str | int] | None:
        """What stands for each name; None where the path is not of this form."""
        found: dict[str, str] = {}
        parts = self._parts(path.split("/"))
        pairs = zip(self._readers, parts, strict=True) if parts else ()
        if not parts or not all(reader.read(part, found) for reader, part in pairs):
            return None
        if not all(INTEGER.fullmatch(found[name]) for name in self._integers):
            return None
        return {name: int(text) if name in self._integers else text for name, text in found.items()}

    def _parts(self, segments: list[str]) -> list[str]:
        """One text for each reader, or none where the numbers of segments do not fit."""
        more = len(segments) - len(self._readers)
        if self._rest is None or more <= 0:
            return segments if more == 0 else []
        last = self._rest + more + 1
        return [*segments[: self._rest], "/".join(segments[self._rest : last]), *segments[last:]]


def names_in(text: str) -> frozenset[str]:
    """The names that a value template uses; raises InvalidInput where it is malformed."""
    inside = [part for part in _parts_of(text) if isinstance(part, _Inside)]
    if len(inside) > _MOST:
        raise InvalidInput(f"A value has up to {_MOST} placeholders, this one {len(inside)}.")
    for part in inside:
        found = _PLACEHOLDER.fullmatch(part.text)
        if not found or found[1] or found[3] is not None:
            raise InvalidInput(f"{part} is not {{name}}: {_NAME_RULE}; kinds belong into the path.")
    return frozenset(part.text for part in inside)


def rendered(text: str, values: Values) -> str | int:
    """A value template with its values; one that is a single placeholder keeps a number's type."""
    parts = [values[p.text] if isinstance(p, _Inside) else p for p in _parts_of(text)]
    return parts[0] if len(parts) == 1 else "".join(map(str, parts))


def filled(value: JsonValue, values: Values) -> JsonValue:
    """A JSON value, each string in it, at any depth, taken as a value template."""
    if isinstance(value, str):
        return rendered(value, values)
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, values) for key, item in value.items()}
    return value


@lru_cache(maxsize=4096)  # the texts of rules, which are read again for every blob
def _parts_of(text: str) -> tuple[str | _Inside, ...]:
    if len(text) > LONGEST_TEMPLATE:
        raise InvalidInput(f"A template has up to {LONGEST_TEMPLATE} characters, not {len(text)}.")
    return tuple(map(_part, _TOKEN.finditer(text)))


def _part(token: re.Match[str]) -> str | _Inside:
    if token["stray"]:
        raise InvalidInput(
            f"The {token['stray']} at character {token.start() + 1} has no partner: "
            "a placeholder is written {name}, a brace itself {{ or }}."
        )
    if token["text"] is None:
        return _Inside(token["inside"])
    return token["text"].replace("{{", "{").replace("}}", "}")


def _segments(text: str) -> list[list[_PathPiece]]:
    segments: list[list[_PathPiece]] = [[]]
    for part in _parts_of(text):
        if isinstance(part, _Inside):
            segments[-1].append(_placeholder(part))
            continue
        first, *more = part.split("/")
        segments[-1].append(first)
        segments.extend([literal] for literal in more)
    return [[piece for piece in pieces if piece] for pieces in segments]


def _placeholder(inside: _Inside) -> _PathPiece:
    found = _PLACEHOLDER.fullmatch(inside.text)
    if not found:
        raise InvalidInput(f"{inside} is no placeholder: {_NAME_RULE}.")
    star, name, kind = found.groups()
    if name in BUILT_IN:
        raise InvalidInput(f"{inside}: {name} is known without being found; take another name.")
    if star and kind is None:
        return _Star(name)
    if kind is None:
        return Free(name)
    if kind == "int" and not star:
        return Integer(name)
    texts = tuple(kind.split("|"))
    _require_alternatives(inside, star, texts)
    return Alternatives(name, texts)


def _require_alternatives(inside: _Inside, star: str, texts: Sequence[str]) -> None:
    if star or len(texts) == 1:
        raise InvalidInput(f"{inside} is none of {{name}}, {{name:int}}, {{name:a|b}}, {{*name}}.")
    if len(texts) > _MOST:
        raise InvalidInput(f"{inside} has {len(texts)} alternatives; {_MOST} is the most.")
    if not all(texts) or len(set(texts)) < len(texts) or any("/" in text for text in texts):
        raise InvalidInput(f"{inside}: its alternatives differ, are not empty and hold no slash.")


def _reader(pieces: Sequence[_PathPiece]) -> Segment | _Rest:
    if list(pieces) in (["."], [".."]):
        raise InvalidInput(f"No blob name has the segment '{pieces[0]}'.")
    plain = [piece for piece in pieces if not isinstance(piece, _Star)]
    star = next((piece for piece in pieces if isinstance(piece, _Star)), None)
    if star is None:
        return Segment.of(plain)
    if len(pieces) - len(plain) > 1 or not all(isinstance(piece, str) for piece in plain):
        raise InvalidInput(
            f"{{*{star.name}}} stands with another placeholder between two slashes: "
            "put a slash between them."
        )
    at = pieces.index(star)
    return _Rest("".join(map(str, pieces[:at])), star.name, "".join(map(str, pieces[at + 1 :])))


def _names_of(placeholders: Sequence[Free | Integer | Alternatives | _Star]) -> frozenset[str]:
    names = [placeholder.name for placeholder in placeholders]
    if len(names) > _MOST:
        raise InvalidInput(f"A path has up to {_MOST} placeholders, this one {len(names)}.")
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{name} is found more than once: give each place its own name.")
    return frozenset(names)
