"""Segments of path templates: what stands between two slashes, and how it is read.

Up to the last placeholder of any text a segment is read from the left, what follows it is read from
the right, and it stands for what is left between. No step is ever taken back, so reading takes time
in proportion to the text, and templates by which it could be read in two ways are refused.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Self

from shared.errors import InvalidInput

_DIGITS = re.compile("[0-9]*")
_END = "/"
"""Put after a segment that is read as a whole: no segment holds one."""


@dataclass(frozen=True)
class Free:
    """One or more characters."""

    name: str

    def __str__(self) -> str:
        return f"{{{self.name}}}"


@dataclass(frozen=True)
class Integer:
    """Decimal digits; whether they are an integer is seen when they are read."""

    name: str

    def __str__(self) -> str:
        return f"{{{self.name}:int}}"


@dataclass(frozen=True)
class Alternatives:
    """One of these texts."""

    name: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{{{self.name}:{'|'.join(self.texts)}}}"


Piece = str | Free | Integer | Alternatives
"""A string is text that stands there as it is."""

_Step = tuple[str, Callable[[str, int], int]]
"""What it reads, nameless where that is literal text, and where that ends if it begins at a place;
-1 where it does not begin there."""


@dataclass(frozen=True)
class Segment:
    """A segment without `{*…}`."""

    _before: tuple[_Step, ...]
    _free: Free | None
    _after: tuple[_Step, ...]
    """Of the mirrored text, which is read from the left likewise."""

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Self:
        """Raises InvalidInput where a text could be read in more than one way."""
        _require_text_between(pieces)
        last = max((at for at, piece in enumerate(pieces) if isinstance(piece, Free)), default=-1)
        free = pieces[last] if last >= 0 else None
        if not isinstance(free, Free):
            return cls(_steps(_closed(pieces)), None, ())
        mirrored = [_mirrored(piece) for piece in reversed(pieces[last + 1 :])]
        return cls(_steps(pieces[:last]), free, _steps(mirrored, is_mirrored=True))

    def read(self, text: str, found: dict[str, str]) -> bool:
        """Whether a segment has this form; what stands for each name goes into `found`."""
        if self._free is None:
            return _walk(self._before, text + _END, found) == len(text) + len(_END)
        start = _walk(self._before, text, found)
        if start < 0:
            return False
        mirrored: dict[str, str] = {}
        end = len(text) - _walk(self._after, text[::-1], mirrored)
        found[self._free.name] = text[start:end]
        found.update((name, part[::-1]) for name, part in mirrored.items())
        return start < end <= len(text)


def _walk(steps: Sequence[_Step], text: str, found: dict[str, str]) -> int:
    """Where the last of the steps ends, or -1."""
    at = 0
    for name, end_of in steps:
        end = end_of(text, at)
        if end < 0:
            return -1
        if name:
            found[name] = text[at:end]
        at = end
    return at


def _steps(pieces: Sequence[Piece], *, is_mirrored: bool = False) -> tuple[_Step, ...]:
    # A placeholder has text behind it, or nothing: those that touch are refused before.
    follows = [piece if isinstance(piece, str) else "" for piece in (*pieces[1:], "")]
    return tuple(map(partial(_step, is_mirrored), pieces, follows))


def _step(is_mirrored: bool, piece: Piece, follow: str) -> _Step:
    match piece:
        case str():
            return "", partial(_end_of_literal, piece)
        case Free(name):
            return name, partial(_end_of_free, follow)
        case Integer(name):
            _require_end_of_digits(piece, follow, is_mirrored)
            return name, partial(_end_of_digits, len(_leading_digits(follow)))
        case Alternatives(name, texts):
            _require_one_fits(piece, follow, is_mirrored)
            return name, partial(_end_of_alternative, texts, follow)


def _end_of_literal(literal: str, text: str, at: int) -> int:
    return at + len(literal) if text.startswith(literal, at) else -1


def _end_of_free(follow: str, text: str, at: int) -> int:
    """The first place where what follows it stands."""
    return text.find(follow, at + 1)


def _end_of_digits(left: int, text: str, at: int) -> int:
    """All digits there are, but for those with which what follows begins."""
    end = at + len(_leading_digits(text, at)) - left
    return end if end > at else -1


def _end_of_alternative(texts: Sequence[str], follow: str, text: str, at: int) -> int:
    """The alternative that has behind it what follows: there is one at most."""
    fits = (at + len(one) for one in texts if text.startswith(one + follow, at))
    return next(fits, -1)


def _require_text_between(pieces: Sequence[Piece]) -> None:
    for one, other in pairwise(pieces):
        if not isinstance(one, str) and not isinstance(other, str):
            raise InvalidInput(
                f"{one} and {other} touch, and nothing says where the one ends: "
                f"write a text between them, as in {one}_{other}."
            )


def _require_end_of_digits(piece: Integer, follow: str, is_mirrored: bool) -> None:
    if _leading_digits(follow) == follow:
        (example,) = _in_order(is_mirrored, f"1{follow}{follow}1")
        raise InvalidInput(
            f"{piece} is ambiguous: nothing says which digits are its own, as in '{example}'. "
            "Write something that is no digit beside it."
        )


def _leading_digits(text: str, at: int = 0) -> str:
    found = _DIGITS.match(text, at)
    return found[0] if found else ""


def _require_one_fits(piece: Alternatives, follow: str, is_mirrored: bool) -> None:
    # In order, a text stands right before those that it is the beginning of.
    whole = sorted((text + follow, text) for text in piece.texts)
    for one, other in pairwise(whole):
        if other[0].startswith(one[0]):
            example, few, more = _in_order(is_mirrored, other[0], one[1], other[1])
            shown = _mirrored(piece) if is_mirrored else piece
            raise InvalidInput(
                f"{shown} is ambiguous: in '{example}' it could be '{few}' as well as '{more}'. "
                "Write another text beside it, or other alternatives."
            )


def _in_order(is_mirrored: bool, *texts: str) -> tuple[str, ...]:
    return tuple(text[::-1] if is_mirrored else text for text in texts)


def _closed(pieces: Sequence[Piece]) -> list[Piece]:
    """With the end of the segment as a text of its own, or at the end of its last one."""
    *before, last = pieces or [""]
    return [*before, last + _END] if isinstance(last, str) else [*before, last, _END]


def _mirrored(piece: Piece) -> Piece:
    if isinstance(piece, str):
        return piece[::-1]
    if isinstance(piece, Alternatives):
        return Alternatives(piece.name, tuple(text[::-1] for text in piece.texts))
    return piece
