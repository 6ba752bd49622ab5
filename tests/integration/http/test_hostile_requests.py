"""Hostile input is 4xx with problem details, or simply finds nothing; it is never 500."""

from urllib.parse import quote

import pytest

from tests.integration.http.caller import Caller, pointers, problem

BASE = "/api/admin/artifacts"
TEXTS = [
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF",
    quote("\U0001f30a\U0001f4a5"),
    quote("'; DROP TABLE registry.assets; --"),
    quote('{"$ne": null}'),
    quote("%s %(x)s :name {0}"),
    "A" * 50_000,
    "..%2f..%2fetc%2fpasswd",
    "\uff11",
]
IDS = [*TEXTS, "0" * 26, "7" + "Z" * 25, "8" + "Z" * 25, "\U0001f4a5" * 26, "{}", "-", "%20"]


def is_harmless(status: int) -> bool:
    return status == 200 or 400 <= status < 500


@pytest.mark.parametrize(
    "path",
    [
        "history?client_type={}&a=b",
        "history?client_type=x&a={}",
        "history?client_type=x&{}=b",
        "history?client_type=x&client_refs={}",
        "history?client_type=x&a=b&cursor={}",
        "history?client_type=x&a=b&limit={}",
        "stac?stac_collection_id={}&stac_item_id=x",
        "job/{}",
        "job/x?cursor={}",
        "00000000-0000-0000-0000-000000000000/chain?direction={}",
        "00000000-0000-0000-0000-000000000000/chain?cursor={}",
        "{}",
        "{}/chain",
    ],
)
def test_hostile_text_is_harmless_wherever_it_stands(reader: Caller, path: str) -> None:
    answers = {text: reader.get(f"{BASE}/{path.replace('{}', text)}").status_code for text in TEXTS}
    assert {text: status for text, status in answers.items() if not is_harmless(status)} == {}


def test_a_hostile_id_finds_nothing(reader: Caller) -> None:
    answers = {written: reader.get(f"{BASE}/{written}").status_code for written in IDS}
    assert {written: status for written, status in answers.items() if not 400 <= status < 500} == {}


@pytest.mark.parametrize("path", ["job/a%00b", "stac?collection_id=%00&item_id=x"])
def test_a_nul_is_refused(reader: Caller, path: str) -> None:
    problem(reader.get(f"{BASE}/{path}"), 422, "invalid-input")


REFERENCES = [
    '{"a": NaN}',
    '{"a": Infinity}',
    '{"a": 1e400}',
    '{"a": 1, "a": 2}',
    '{"a": {"b": 1, "b": 2}}',
    "[" * 10_000 + "]" * 10_000,
    '{"a":' * 3_000 + "1" + "}" * 3_000,
    '{"a": ' + "9" * 5000 + "}",
    '{"a": "\\ud800"}',
    '{"a": "\\u0000"}',
    '{"\\u0000": 1}',
    '{"a": "' + "x" * 9000 + '"}',
    '{"a": 1',
    "[]",
    "null",
    '"text"',
    "",
    "{}",
]


def test_client_refs_that_are_no_clean_json_object_are_refused(reader: Caller) -> None:
    for refs in REFERENCES:
        query = {"client_type": "x", "client_refs": refs}
        told = problem(reader.get(f"{BASE}/history", params=query), 422, "invalid-input")
        assert pointers(told)[0].startswith("/client_refs")


def test_a_reference_given_as_text_and_as_json_is_refused(reader: Caller) -> None:
    query = {"client_type": "x", "a/b": "1", "client_refs": '{"a/b": 1}'}
    told = problem(reader.get(f"{BASE}/history", params=query), 422, "invalid-input")
    assert pointers(told) == ["/a~1b"]


@pytest.mark.parametrize("name", ["a", "client_type", "client_refs", "limit", "cursor", "code"])
def test_a_parameter_given_twice_is_refused(reader: Caller, name: str) -> None:
    found = reader.get(f"{BASE}/history?client_type=x&a=b&{name}=1&{name}=1")
    assert f"/{name}" in pointers(problem(found, 422, "invalid-input"))


def test_references_are_needed(reader: Caller) -> None:
    problem(reader.get(f"{BASE}/history?client_type=x"), 422, "invalid-input")
    told = problem(reader.get(f"{BASE}/history?a=b"), 422, "invalid-input")
    assert pointers(told) == ["/client_type"]


def test_a_cursor_of_another_list_is_refused(reader: Caller) -> None:
    told = problem(reader.get(f"{BASE}/job/j?cursor=aGlzdG9yeTox"), 422, "invalid-input")
    assert pointers(told) == ["/cursor"]
