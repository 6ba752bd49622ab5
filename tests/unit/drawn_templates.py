"""Path templates drawn at random, and a slow reader of names that tries everything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

Found = dict[str, str | int]
_MARKS = "ab1_"
"""What literal text is made of, so small that texts run into each other all the time."""


@dataclass(frozen=True)
class Piece:
    """Literal text where it has no name."""

    name: str = ""
    kind: str = ""
    texts: tuple[str, ...] = ()

    def written(self) -> str:
        if not self.name:
            return self.texts[0].replace("{", "{{").replace("}", "}}")
        kinds = {"int": ":int", "one": ":" + "|".join(self.texts)}
        return f"{{{'*' * (self.kind == 'rest')}{self.name}{kinds.get(self.kind, '')}}}"


Segment = tuple[Piece, ...]


def written(segments: Sequence[Segment]) -> str:
    return "/".join("".join(piece.written() for piece in pieces) for pieces in segments)


def rendered(segments: Sequence[Segment], values: Found) -> str:
    return "/".join(
        "".join(str(values[piece.name]) if piece.name else piece.texts[0] for piece in pieces)
        for pieces in segments
    )


@st.composite
def templates(draw: st.DrawFn, marks: str = _MARKS) -> list[Segment]:
    """Segments in which placeholders do not touch; they may be ambiguous all the same."""
    names = (f"name{number}" for number in range(100))
    segments = [_segment(draw, names, marks) for _ in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        rest = Piece(next(names), "rest")
        around = [_literal(draw, marks, 0), rest, _literal(draw, marks, 0)]
        segments.insert(draw(st.integers(0, len(segments))), tuple(around))
    return segments


def _segment(draw: st.DrawFn, names: Iterator[str], marks: str) -> Segment:
    pieces = [_literal(draw, marks, 0)]
    # An alternative ends at the first brace: one that holds a brace cannot be written.
    writable = [mark for mark in marks if mark not in "{}"]
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["free", "free", "int", "one"]))
        texts = st.lists(
            st.text(writable, min_size=1, max_size=3), min_size=2, max_size=3, unique=True
        )
        pieces.append(Piece(next(names), kind, tuple(draw(texts)) if kind == "one" else ()))
        pieces.append(_literal(draw, marks, 1))
    return tuple(pieces if draw(st.booleans()) else pieces[:-1])


def _literal(draw: st.DrawFn, marks: str, shortest: int) -> Piece:
    return Piece(texts=(draw(st.text(marks, min_size=shortest, max_size=2)),))


def values_of(segments: Sequence[Segment], characters: str) -> st.SearchStrategy[Found]:
    """Values for every placeholder; free text is of the characters given."""
    kinds: dict[str, st.SearchStrategy[str] | st.SearchStrategy[int]] = {
        "free": st.text(characters, min_size=1, max_size=4),
        "rest": st.text(characters + "/", min_size=1, max_size=6),
        "int": st.integers(0, 10**18 - 1),
    }
    return st.fixed_dictionaries(
        {
            piece.name: st.sampled_from(piece.texts) if piece.texts else kinds[piece.kind]
            for pieces in segments
            for piece in pieces
            if piece.name
        }
    )


def readings(segments: Sequence[Segment], path: str) -> list[Found]:
    """Every way to read a name that the documentation of templates allows, by trying all."""
    texts = path.split("/")
    rests = [at for at, pieces in enumerate(segments) if any(p.kind == "rest" for p in pieces)]
    more = len(texts) - len(segments)
    if more and (not rests or more < 0):
        return []
    if rests:
        at = rests[0]
        texts[at : at + more + 1] = ["/".join(texts[at : at + more + 1])]
    ways = [list(_readings(pieces, text)) for pieces, text in zip(segments, texts, strict=True)]
    return [
        {name: value for found in way for name, value in found.items()} for way in product(*ways)
    ]


def _readings(pieces: Segment, text: str) -> Iterator[Found]:
    if not pieces:
        if not text:
            yield {}
        return
    piece, *others = pieces
    for end in range(len(text) + 1):
        value = _value(piece, tuple(others), text, end)
        if value is not None:
            for found in _readings(tuple(others), text[end:]):
                yield {piece.name: value, **found} if piece.name else found


def _value(piece: Piece, others: Segment, text: str, end: int) -> str | int | None:
    """What a piece stands for if it ends there, or None where it cannot."""
    part = text[:end]
    if piece.texts:
        return part if part in piece.texts else None
    if piece.kind == "int":
        is_number = part.isdecimal() and len(part) <= 18 and str(int(part)) == part
        return int(part) if is_number else None
    if piece.kind == "free" and any(other.kind == "free" for other in others):
        return part if end and text.find(others[0].texts[0], 1) == end else None
    return part or None
