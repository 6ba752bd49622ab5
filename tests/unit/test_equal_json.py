"""When two JSON values are one."""

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from shared.models.decisions import equal_json

VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_is_itself_also_after_it_was_written_and_read(value: JsonValue) -> None:
    assert equal_json(value, value)
    assert equal_json(value, json.loads(json.dumps(value, sort_keys=True)))


@given(VALUES, VALUES)
def test_equality_has_no_direction_and_wrapping_changes_nothing(
    one: JsonValue, other: JsonValue
) -> None:
    are_equal = equal_json(one, other)
    assert equal_json(other, one) == are_equal
    assert equal_json([one], [other]) == are_equal
    assert equal_json({"a": one}, {"a": other}) == are_equal
    assert not equal_json(one, [one])


def test_numbers_are_equal_by_value_and_types_never_mix() -> None:
    assert equal_json(1, 1.0)
    assert equal_json(10**23, 1e23)
    assert equal_json(0, -0.0)
    for one, other in (
        (1, True),
        (0, False),
        (1, "1"),
        (None, 0),
        (None, ""),
        (2**53 + 1, 2.0**53),
    ):
        assert not equal_json(one, other)
        assert not equal_json(other, one)
