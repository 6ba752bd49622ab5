"""The surface of pipelines: registering, reading and changing artifacts."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.integration.http.caller import Caller, pointers, problem

BASE = "/api/v1/artifacts"


def body(**fields: Any) -> dict[str, Any]:
    return {
        "client_type": "ddh",
        "client_refs": {"dataset_id": "flood"},
        "content_hash": "a" * 64,
        **fields,
    }


@pytest.fixture
def made(writer: Caller) -> dict[str, Any]:
    return writer.call("POST", BASE, json=body(metadata={"title": "Flood"})).json()


def test_a_registration_is_201_with_its_place_and_tag(writer: Caller, reader: Caller) -> None:
    created = writer.call("POST", BASE, json=body())
    assert created.status_code == 201
    assert (created.json()["revision"], created.json()["status"]) == (1, "active")
    found = reader.get(created.headers["location"])
    assert found.json() == created.json()
    assert found.headers["etag"] == created.headers["etag"]
    assert created.headers["location"] == f"{BASE}/{created.json()['artifact_id']}"


def test_the_same_bytes_again_are_200_and_the_artifact_that_stands(writer: Caller) -> None:
    first, second = (writer.call("POST", BASE, json=body()) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert "location" not in second.headers


def test_a_conflict_names_the_current_artifact(writer: Caller, made: dict[str, Any]) -> None:
    refused = writer.call("POST", BASE, json=body(content_hash="b" * 64))
    told = problem(refused, 409, "artifact-conflict")
    assert told["current_artifact_id"] == made["artifact_id"]


def test_overwriting_supersedes(writer: Caller, reader: Caller, made: dict[str, Any]) -> None:
    newer = writer.call("POST", BASE, json=body(content_hash="b" * 64, overwrite=True))
    assert newer.status_code == 201
    assert newer.json()["supersedes"] == made["artifact_id"]
    assert reader.get(f"{BASE}/{made['artifact_id']}").json()["status"] == "superseded"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"client_type": None}, "/client_type"),
        ({"client_refs": {}}, "/client_refs"),
        ({"client_refs": {"a": "\x00"}}, "/client_refs"),
        ({"content_hash": "xyz"}, "/content_hash"),
        ({"size_bytes": -1}, "/size_bytes"),
        ({"size_bytes": "1"}, "/size_bytes"),
        ({"size_bytes": 2**63}, "/size_bytes"),
        ({"metadata": {"a": "\x00"}}, "/metadata"),
        ({"metadata": []}, "/metadata"),
        ({"overwrite": "yes"}, "/overwrite"),
        ({"nonsense": 1}, "/nonsense"),
        ({"artifact_id": str(uuid4())}, "/artifact_id"),
        ({"blob_path": "a/b"}, ""),
    ],
)
def test_a_value_that_is_not_valid_is_pointed_at(
    writer: Caller, changed: dict[str, Any], pointer: str
) -> None:
    told = problem(writer.call("POST", BASE, json=body(**changed)), 422, "invalid-input")
    assert pointers(told) == [pointer]


def test_an_artifact_at_hand_is_304(reader: Caller, made: dict[str, Any]) -> None:
    path = f"{BASE}/{made['artifact_id']}"
    tag = reader.get(path).headers["etag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        found = reader.get(path, headers={"If-None-Match": given})
        assert (found.status_code, found.content) == (304, b"")
        assert found.headers["etag"] == tag
    assert reader.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_metadata_and_flags_change_and_nothing_else_does(
    writer: Caller, made: dict[str, Any]
) -> None:
    path = f"{BASE}/{made['artifact_id']}"
    changes = {"metadata": {"tags": ["a"], "title": None}, "is_final": True}
    changed = writer.call("PATCH", path, json=changes).json()
    assert changed["metadata"] == {"title": None, "tags": ["a"]}
    assert changed | {"metadata": made["metadata"], "is_final": False} == made | {
        "updated_at": changed["updated_at"]
    }
    told = problem(writer.call("PATCH", path, json={"size_bytes": 1}), 422, "invalid-input")
    assert pointers(told) == ["/size_bytes"]


def test_an_expiry_is_set_stays_and_is_taken_away(writer: Caller, made: dict[str, Any]) -> None:
    path = f"{BASE}/{made['artifact_id']}"

    def change(**changes: Any) -> Any:
        return writer.call("PATCH", path, json=changes).json()["expires_at"]

    assert change(expires_at="2030-01-01T01:00:00+01:00") == "2030-01-01T00:00:00Z"
    assert change(is_final=True) == "2030-01-01T00:00:00Z"
    assert change(expires_at=None) is None


def test_a_change_is_made_only_in_the_state_that_was_seen(
    writer: Caller, reader: Caller, made: dict[str, Any]
) -> None:
    path = f"{BASE}/{made['artifact_id']}"
    tag = reader.get(path).headers["etag"]

    def change(condition: str) -> Any:
        return writer.call(
            "PATCH", path, json={"metadata": {"n": condition}}, headers={"If-Match": condition}
        )

    first = change(f'"other", {tag}')
    assert first.status_code == 200
    assert first.headers["etag"] != tag
    for late in (tag, "W/" + first.headers["etag"], '"*"', '"x","y"'):
        problem(change(late), 412, "precondition-failed")
    assert reader.get(path).headers["etag"] == first.headers["etag"]
    assert change("*").status_code == 200
    assert pointers(problem(change("bare"), 422, "invalid-input")) == ["/If-Match"]


def test_an_artifact_with_much_to_tell_is_read_whole(writer: Caller, reader: Caller) -> None:
    metadata = {"notes": "long " * 50_000}
    created = writer.call("POST", BASE, json=body(metadata=metadata))
    assert reader.get(created.headers["location"]).json()["metadata"] == metadata


def test_an_unknown_artifact_is_404(reader: Caller, writer: Caller) -> None:
    problem(reader.get(f"{BASE}/{uuid4()}"), 404, "artifact-not-found")
    problem(writer.call("PATCH", f"{BASE}/{uuid4()}", json={}), 404, "artifact-not-found")


def test_reading_and_writing_need_their_own_scope(
    reader: Caller, writer: Caller, operator: Caller
) -> None:
    for other in (reader, operator):
        problem(other.call("POST", BASE, json=body()), 403, "scope-missing")
        problem(other.call("POST", f"{BASE}/batch", json={}), 403, "scope-missing")
        problem(other.call("PATCH", f"{BASE}/{uuid4()}", json=1), 403, "scope-missing")
    problem(writer.get(f"{BASE}/{uuid4()}"), 403, "scope-missing")
    problem(writer.get(BASE), 403, "scope-missing")
    problem(writer.call("POST", f"{BASE}/overwrite-decision"), 403, "scope-missing")


def test_who_registered_is_in_the_trail(
    made: dict[str, Any], sql: psycopg.Connection[DictRow]
) -> None:
    query = "SELECT * FROM registry.outbox WHERE artifact_id = %s"
    (event,) = sql.execute(query, [made["artifact_id"]]).fetchall()
    assert event["actor"].startswith("key:")
    assert event["request_id"]
