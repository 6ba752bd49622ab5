"""Identity: what makes two spellings of client references the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from shared.errors import InvalidInput
from shared.models.client_refs import canonical_refs
from shared.models.decisions import equal_json

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | _TEXT
    | st.floats(allow_nan=False, allow_infinity=False)
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3)
)
REFS = st.dictionaries(_TEXT, _VALUES, min_size=1, max_size=4)


@given(REFS)
def test_the_canonical_form_is_its_own_canonical_form(refs: dict[str, JsonValue]) -> None:
    once = canonical_refs(refs)
    assert json.dumps(canonical_refs(once)) == json.dumps(once)


@given(REFS)
def test_it_means_the_same_value(refs: dict[str, JsonValue]) -> None:
    assert equal_json(canonical_refs(refs), refs)


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_is_one_number_however_written(number: int) -> None:
    assert json.dumps(canonical_refs({"n": float(number)})) == json.dumps({"n": number})


def test_truth_is_not_one() -> None:
    assert json.dumps(canonical_refs({"n": True})) == '{"n": true}'


def test_zero_has_no_sign() -> None:
    assert json.dumps(canonical_refs({"n": -0.0})) == '{"n": 0}'


def _nested(depth: int) -> JsonValue:
    value: JsonValue = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "refs",
    [
        {},
        {"a": float("inf")},
        {"a": "\0"},
        {"\0": "a"},
        {"a": ["\ud800"]},
        {"a": "x" * 8192},
        {"a": _nested(900)},
    ],
)
def test_what_cannot_identify_an_asset_is_refused(refs: dict[str, JsonValue]) -> None:
    with pytest.raises(InvalidInput):
        canonical_refs(refs)


def test_a_large_number_is_one_however_it_is_written() -> None:
    assert canonical_refs({"n": 1e23}) == canonical_refs({"n": 10**23})
