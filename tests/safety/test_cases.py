"""Planned requests are good but for what they are about."""

from typing import Any

import pytest

from tests.safety.cases import planned
from tests.safety.oddities import odd_in_good, usual
from tests.safety.operations import KEY_ID, operation_at


def test_what_a_request_is_not_about_is_as_in_the_good_one() -> None:
    operation = operation_at("POST", "/api/admin/holds")
    good = operation.draft().body
    forbidden = [case.body for case in planned(operation, KEY_ID)[1]]
    without_reason = {name: value for name, value in good.items() if name != "reason"}
    for body in ({**good, "reason": ""}, {**good, "until": ""}, without_reason):
        assert body in forbidden


def test_what_is_usual_is_asked_for_as_well() -> None:
    operation = operation_at("POST", "/api/admin/holds")
    allowed = [case.body for case in planned(operation, KEY_ID)[0]]
    assert any(body.get("until") and body.get("selector") for body in allowed)


PLAIN: dict[str, Any] = {"a": 0, "b": [{"c": 0, "d": 0}], "e": 0}
GOOD: dict[str, Any] = {"a": 5, "b": [{"c": 6, "d": 7}]}


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (PLAIN, GOOD),
        (PLAIN | {"a": None}, GOOD | {"a": None}),
        (PLAIN | {"b": [{"c": 0, "d": -1}] * 2}, GOOD | {"b": [{"c": 6, "d": -1}] * 2}),
        (PLAIN | {"b": "text"}, GOOD | {"b": "text"}),
        (PLAIN | {"e": 1}, GOOD | {"e": 1}),
        (PLAIN | {"f": 0}, GOOD | {"f": 0}),
        ({"b": PLAIN["b"], "e": 0}, {"b": GOOD["b"]}),
        ({"b": PLAIN["b"], "e": 1}, GOOD | {"e": 1}),
        ("text", "text"),
    ],
    ids=str,
)
def test_a_good_value_takes_over_what_is_odd(odd: Any, expected: Any) -> None:
    assert odd_in_good(GOOD, odd, usual([PLAIN, PLAIN, odd])) == expected
