"""Bodies: JSON that means one thing, said to be JSON, and nothing else."""

from typing import Any

import pytest

from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.test_artifacts import BASE

JSON = {"Content-Type": "application/json"}
WITH_BODY = [("POST", BASE), ("POST", f"{BASE}/batch"), ("POST", f"{BASE}/overwrite-decision")]


@pytest.fixture
def caller(writer: Caller, reader: Caller) -> Any:
    """Whoever may call this path."""

    def call(method: str, path: str, **options: Any) -> Any:
        allowed = reader if path.endswith("decision") else writer
        return allowed.call(method, path, **options)

    return call


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_what_means_two_things_or_none_is_pointed_at(caller: Any, method: str, path: str) -> None:
    for sent, pointer in (
        (b'{"client_refs": {"a": 1, "a": 2}}', "/client_refs/a"),
        (b'{"client_type": "a", "client_type": "b"}', "/client_type"),
        (b'{"metadata": {"a": [NaN]}}', "/metadata/a/0"),
        (b'{"size_bytes": 1e400}', "/size_bytes"),
    ):
        told = problem(caller(method, path, content=sent, headers=JSON), 422, "invalid-input")
        assert pointers(told) == [pointer]


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_what_is_no_object_is_refused(caller: Any, method: str, path: str) -> None:
    short = (b"", b"{", b"null", b"[]", b'"text"', b"\xff", b"a=b")
    for sent in (*short, b"[" * 10_000, b'{"a":' * 10_000):
        problem(caller(method, path, content=sent, headers=JSON), 422, "invalid-input")


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_what_is_not_said_to_be_json_is_415(caller: Any, method: str, path: str) -> None:
    for kind in (None, "", "text/plain", "application/x-www-form-urlencoded"):
        headers = {} if kind is None else {"Content-Type": kind}
        found = caller(method, path, content=b"{}", headers=headers)
        problem(found, 415, "unsupported-media-type")


def test_json_may_name_its_charset(writer: Caller) -> None:
    sent = b'{"client_type": "a", "client_refs": {"a": "b"}}'
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert writer.call("POST", BASE, content=sent, headers=headers).status_code == 201


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_nobody_learns_what_is_wrong_with_a_body_without_a_key(
    anonymous: Caller, method: str, path: str
) -> None:
    for sent in (b"{", b"", b'{"a": NaN}', b"[" * 10_000):
        problem(anonymous.call(method, path, content=sent, headers=JSON), 401, "key-rejected")
        problem(anonymous.call(method, path, content=sent), 401, "key-rejected")


def test_of_very_many_faults_the_first_hundred_are_told(writer: Caller) -> None:
    sent = {f"unknown {number}": number for number in range(5_000)}
    told = problem(writer.call("POST", BASE, json=sent), 422, "invalid-input")
    assert len(told["errors"]) == 100
    assert told["detail"].startswith("5002 values")
