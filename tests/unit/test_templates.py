"""Templates of names: one meaning each, and time that grows with the name only."""

import sys
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.models.templates import PathTemplate
from tests.unit.drawn_templates import (
    Found,
    Piece,
    Segment,
    readings,
    rendered,
    templates,
    values_of,
    written,
)


@pytest.mark.parametrize(
    ("template", "path", "found"),
    [
        ("{dataset}/{version:int}.tif", "flood/12.tif", {"dataset": "flood", "version": 12}),
        ("{dataset}/{version:int}.tif", "flood/012.tif", None),
        ("{dataset}/{version:int}.tif", "flood/-1.tif", None),
        ("{dataset}/{version:int}.tif", "flood/\uff11\uff12.tif", None),
        ("{n:int}", "0", {"n": 0}),
        ("{n:int}", "9" * 18, {"n": 10**18 - 1}),
        ("{n:int}", "9" * 19, None),
        ("{dataset}/{version:int}.tif", "flood/12.TIF", None),
        ("{dataset}/{version:int}.tif", "a/flood/12.tif", None),
        ("{dataset}.tif", ".tif", None),
        ("{a}", "a/b", None),
        ("{a}", "a\nb", {"a": "a\nb"}),
        ("{a}_{b}.tif", "x_y_z.tif", {"a": "x", "b": "y_z"}),
        ("{a}_{b}.tif", "_x_y.tif", {"a": "_x", "b": "y"}),
        ("{a}_v{n:int}.tif", "x_v1_v2.tif", {"a": "x_v1", "n": 2}),
        ("{a}_{n:int}_{b}", "x_y_1", None),
        ("20{yy:int}.csv", "2026.csv", {"yy": 26}),
        ("{a}_v2{n:int}", "x_v213", {"a": "x", "n": 13}),
        ("{n:int}2x/{m:int}1", "142x/11", {"n": 14, "m": 1}),
        ("{n:int}2x", "2x", None),
        ("{kind:dem|ortho}/{a}", "dem/x", {"kind": "dem", "a": "x"}),
        ("{kind:dem|ortho}/{a}", "demo/x", None),
        ("{end:tif|tiff}", "tiff", {"end": "tiff"}),
        ("{a}.{end:tif|tiff}", "x.tiff", {"a": "x", "end": "tiff"}),
        ("raw/{*rest}", "raw/a/b/c.tif", {"rest": "a/b/c.tif"}),
        ("raw/{*rest}", "raw/", None),
        ("raw/{*rest}", "raw//", {"rest": "/"}),
        ("{a}/{*rest}/{b}.tif", "1/2/3/4.tif", {"a": "1", "rest": "2/3", "b": "4"}),
        ("{a}/{*rest}/{b}.tif", "1/4.tif", None),
        ("v-{*rest}.d/x", "v-a/b.d/x", {"rest": "a/b"}),
        ("v-{*rest}-v", "v-v", None),
        ("{{{a}}}", "{x}", {"a": "x"}),
        ("{{a}}", "{a}", {}),
        ("a//{b}", "a//c", {"b": "c"}),
        ("exact.tif", "exact.tif", {}),
    ],
)
def test_a_name_is_read_as_the_documentation_says(
    template: str, path: str, found: Found | None
) -> None:
    read = PathTemplate.parse(template).match(path)
    assert read == found
    assert _types(read) == _types(found)


def _types(found: Found | None) -> dict[str, type]:
    """What kind of value each field is, since 1 equals True and 1.0."""
    return {} if found is None else {field: type(value) for field, value in found.items()}


def _parsed(segments: list[Segment]) -> PathTemplate:
    """The template, or another example where these segments make none."""
    try:
        return PathTemplate.parse(written(segments))
    except InvalidInput:
        assume(False)
        raise


@given(st.data())
def test_a_name_made_from_values_gives_the_same_values_back(data: st.DataObject) -> None:
    segments = data.draw(templates("abm_{}."))
    template = _parsed(segments)
    values = data.draw(values_of(segments, "xyzéß🌊\n"))
    assert template.match(rendered(segments, values)) == values


@given(st.data())
def test_a_name_has_one_reading_at_most_and_that_is_found(data: st.DataObject) -> None:
    segments = data.draw(templates())
    template = _parsed(segments)
    names = st.text("ab1_/", max_size=12) | values_of(segments, "ab1_").map(
        lambda values: rendered(segments, values)
    )
    path = data.draw(names)
    every = readings(segments, path)
    assert [template.match(path)] == (every or [None])


_TEXTS = ["a", "b", "aa", "ab", "ba", "aba", "bab"]
_ALTERNATIVES = [Piece("x", "one", pair) for pair in combinations(_TEXTS, 2)]


@pytest.mark.parametrize(
    ("bounded", "literals", "characters"),
    [
        (_ALTERNATIVES, ["a", "b", "ab"], "ab"),
        ([Piece("x", "int")], ["1", "11", "1a", "a1", "a"], "a1"),
    ],
    ids=["alternatives", "integers"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_beside_free_text_is_refused_exactly_what_gives_some_name_two_readings(
    bounded: list[Piece], literals: list[str], characters: str, is_first: bool
) -> None:
    names = ["".join(name) for size in range(7) for name in product(characters, repeat=size)]
    for piece, literal in product(bounded, literals):
        pieces = (piece, Piece(texts=(literal,)), Piece("y", "free"))
        segments = [pieces if is_first else pieces[::-1]]
        is_ambiguous = any(len(readings(segments, name)) > 1 for name in names)
        assert _is_refused(written(segments)) == is_ambiguous, written(segments)


def _is_refused(template: str) -> bool:
    try:
        PathTemplate.parse(template)
    except InvalidInput:
        return True
    return False


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{a}{b}", "{a} and {b} touch, and nothing says where the one ends: write a text between"),
        ("{a:int}{b:x|y}", "{a:int} and {b:x|y} touch"),
        (
            "{a:int}5{b}",
            "{a:int} is ambiguous: nothing says which digits are its own, as in '1551'",
        ),
        (
            "{a}57{b:int}",
            "{b:int} is ambiguous: nothing says which digits are its own, as in '157571'",
        ),
        ("{a:x|x.y}.{b}", "in 'x.y.' it could be 'x' as well as 'x.y'"),
        ("{b}.{a:x|y.x}", "in '.y.x' it could be 'x' as well as 'y.x'"),
        ("{*a}/{*b}", "one {*…} at most"),
        ("{*a}_{b}", "{*a} stands with another placeholder between two slashes"),
        ("{*a}{*b}", "{*a} stands with another placeholder between two slashes"),
        ("{a}/{a}", "a is found more than once"),
    ],
)
def test_a_template_of_two_meanings_is_refused_with_an_example(template: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        PathTemplate.parse(template)
    assert told in refused.value.summary


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{a", "The { at character 1 has no partner"),
        ("x}", "The } at character 2 has no partner"),
        ("{a{b}}", "The { at character 1 has no partner"),
        ("{}", "{} is no placeholder: a name begins with a-z"),
        ("{A}", "{A} is no placeholder: a name begins with a-z"),
        ("{a-b}", "{a-b} is no placeholder"),
        ("{a }", "{a } is no placeholder"),
        ("{a\n}", "is no placeholder"),
        ("{" + "a" * 51 + "}", "has up to 50"),
        ("{a:uuid}", "{a:uuid} is none of {name}, {name:int}, {name:a|b}, {*name}"),
        ("{a:}", "{a:} is none of"),
        ("{a:[0-9]+}", "{a:[0-9]+} is none of"),
        ("{*a:int}", "{*a:int} is none of"),
        ("{a:x|}", "its alternatives differ, are not empty and hold no slash"),
        ("{a:x|x}", "its alternatives differ"),
        ("{a:x|y/z}", "hold no slash"),
        ("{a:" + "|".join(map(str, range(21))) + "}", "has 21 alternatives; 20 is the most"),
        ("/".join(f"{{a{n}}}" for n in range(21)), "up to 20 placeholders, this one 21"),
        ("x" * 1025, "up to 1024 characters, not 1025"),
        ("../{a}", "No blob name has the segment '..'"),
        ("{path}", "path is known without being found; take another name"),
    ],
)
def test_a_template_that_is_none_is_refused_with_what_to_mend(template: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        PathTemplate.parse(template)
    assert told in refused.value.summary
    assert len(refused.value.summary) < 200


def _calls(template: PathTemplate, path: str) -> int:
    """Calls, of C too, that reading a name takes; each of them goes over the name once at most."""
    calls = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        template.match(path)
    finally:
        sys.setprofile(before)
    return calls


_FREE = [f"{{a{number}}}" for number in range(20)]
_HOSTILE = [
    "a".join(_FREE),
    "a" * 500 + "a".join(_FREE),
    "_".join(_FREE) + "_",
    "a".join(name.replace("}", ":int}") for name in _FREE),
    "_".join(f"{{a{n}:{'|'.join('a' * size for size in range(1, 9))}}}" for n in range(20)),
    "/".join([*_FREE[:19], "{*rest}"]),
    "/".join(["{*rest}a", *_FREE[:19]]),
]


@pytest.mark.parametrize("template", _HOSTILE, ids=range(len(_HOSTILE)))
@pytest.mark.parametrize("part", ["a", "1", "_", "/", "a/", "a_", "aa1", "1_"])
def test_a_hostile_name_takes_steps_by_its_segments_and_the_template_only(
    template: str, part: str
) -> None:
    read = PathTemplate.parse(template)
    for size in (64, 1024):
        for end in ("", "!", "!/"):
            path = (part * size)[: size - len(end)] + end
            assert _calls(read, path) <= 12 * 20 + 2 * path.count("/")
