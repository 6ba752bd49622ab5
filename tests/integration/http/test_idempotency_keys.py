"""`Idempotency-Key`: the same request again gets the same answer."""

from typing import Any

import httpx
import pytest

from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.test_artifacts import BASE, body


def send(caller: Caller, key: str, path: str = BASE, **fields: Any) -> httpx.Response:
    sent = {"artifacts": [body(**fields)]} if path.endswith("batch") else body(**fields)
    return caller.call("POST", path, json=sent, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("path", [BASE, f"{BASE}/batch"])
def test_a_repeated_request_gets_the_same_answer(
    writer: Caller, operator: Caller, path: str
) -> None:
    first = send(writer, "k", path)
    operator.call("DELETE", f"/api/admin/artifacts/{made_id(first)}?confirm=yes")
    second = send(writer, "k", path)
    assert second.status_code == first.status_code
    assert second.content == first.content
    for name in ("location", "etag"):
        assert second.headers.get(name) == first.headers.get(name)


def made_id(answered: httpx.Response) -> str:
    told = answered.json()
    return (told["results"][0]["artifact"] if "results" in told else told)["artifact_id"]


@pytest.mark.parametrize("path", [BASE, f"{BASE}/batch"])
def test_a_key_stands_for_one_request_only(writer: Caller, path: str) -> None:
    send(writer, "k", path)
    other = send(writer, "k", path, metadata={"a": 1})
    problem(other, 422, "idempotency-key-reused")


def test_one_document_spelled_differently_is_one_request(writer: Caller) -> None:
    first = writer.call("POST", BASE, json=body(), headers={"Idempotency-Key": "k"})
    turned = dict(reversed(body().items()))
    second = writer.call("POST", BASE, json=turned, headers={"Idempotency-Key": "k"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content


def test_a_key_is_its_callers_and_its_paths_own(writer: Caller, registry: Registry) -> None:
    other = Caller(build_app(lambda: registry), registry.keys.create("w", [Scope.WRITE]).text)
    assert send(writer, "k").status_code == 201
    assert send(other, "k", client_refs={"a": "other"}).status_code == 201
    problem(send(writer, "k", f"{BASE}/batch"), 422, "idempotency-key-reused")


def test_what_failed_may_be_sent_again(writer: Caller) -> None:
    made = writer.call("POST", BASE, json=body()).json()
    problem(send(writer, "k", content_hash="b" * 64), 409, "artifact-conflict")
    again = send(writer, "k", content_hash="b" * 64, overwrite=True)
    assert again.json()["supersedes"] == made["artifact_id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "schlüssel"])
def test_a_key_is_1_to_255_printable_characters(writer: Caller, key: str) -> None:
    written: Any = {"Idempotency-Key": key.encode()}
    told = problem(writer.call("POST", BASE, json=body(), headers=written), 422, "invalid-input")
    assert [pointer.lower() for pointer in pointers(told)] == ["/idempotency-key"]
