"""What operators change: metadata, deletion, archive and purge."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.test_artifacts import body

BASE = "/api/admin/artifacts"


@pytest.fixture
def made(writer: Caller) -> dict[str, Any]:
    return writer.call("POST", "/api/v1/artifacts", json=body(metadata={"a": 1})).json()


@pytest.fixture
def path(made: dict[str, Any]) -> str:
    return f"{BASE}/{made['artifact_id']}"


def status_of(reader: Caller, path: str) -> str:
    return reader.get(path).json()["artifact"]["status"]


def test_metadata_are_merged_and_null_is_kept(operator: Caller, path: str) -> None:
    sent = {"b": {"c": None}, "d": None}
    changed = operator.call("PATCH", f"{path}/metadata", json=sent)
    assert changed.json()["artifact"]["metadata"] == {"a": 1, **sent}


@pytest.mark.parametrize("sent", [[], "text", 1, None, {"a": "\x00"}, {"a\x00": 1}])
def test_metadata_are_a_clean_object(operator: Caller, path: str, sent: Any) -> None:
    changed = operator.call("PATCH", f"{path}/metadata", json=sent)
    problem(changed, 422, "invalid-input")


def test_deleting_says_what_was_there_and_may_be_repeated(
    operator: Caller, reader: Caller, path: str, made: dict[str, Any]
) -> None:
    first = operator.call("DELETE", f"{path}?confirm=yes")
    assert first.json() == {
        "message": "The artifact is deleted.",
        "artifact_id": made["artifact_id"],
        "previous_status": "active",
    }
    second = operator.call("DELETE", f"{path}?confirm=yes").json()
    assert second["previous_status"] == "deleted"
    assert status_of(reader, path) == "deleted"
    assert reader.get(path).headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("query", ["", "?confirm=", "?confirm=no", "?confirm=YES", "?confirm=true"])
@pytest.mark.parametrize(("method", "end"), [("DELETE", ""), ("POST", "/purge")])
def test_nothing_is_destroyed_unless_it_is_confirmed(
    operator: Caller, reader: Caller, path: str, method: str, end: str, query: str
) -> None:
    told = problem(operator.call(method, f"{path}{end}{query}"), 422, "invalid-input")
    assert pointers(told) == ["/confirm"]
    assert status_of(reader, path) == "active"


def test_an_artifact_without_bytes_is_archived(operator: Caller, reader: Caller, path: str) -> None:
    moved = operator.call("POST", f"{path}/archive")
    assert moved.json()["previous_status"] == "active"
    assert status_of(reader, path) == "archived"


@pytest.mark.parametrize("sent", [{"target_tier": "Hot"}, {"target_tier": None}, {"tier": "Cool"}])
def test_only_a_colder_tier_will_do(operator: Caller, reader: Caller, path: str, sent: Any) -> None:
    problem(operator.call("POST", f"{path}/archive", json=sent), 422, "invalid-input")
    assert status_of(reader, path) == "active"


def test_only_the_deleted_are_purged(operator: Caller, reader: Caller, path: str) -> None:
    purge = f"{path}/purge?confirm=yes"
    problem(operator.call("POST", purge), 409, "invalid-transition")
    operator.call("DELETE", f"{path}?confirm=yes")
    assert operator.call("POST", purge).json()["previous_status"] == "deleted"
    assert reader.get(path).json()["artifact"]["disposition"] == "purged"


CHANGES: list[tuple[str, str, Any]] = [
    ("PATCH", "/metadata", {"z": 1}),
    ("DELETE", "?confirm=yes", None),
    ("POST", "/archive", {}),
    ("POST", "/purge?confirm=yes", None),
]


@pytest.mark.parametrize(("method", "end", "sent"), CHANGES)
def test_every_change_may_be_conditional(
    operator: Caller, reader: Caller, path: str, method: str, end: str, sent: Any
) -> None:
    if "purge" in end:
        operator.call("DELETE", f"{path}?confirm=yes")
    seen = reader.get(path)
    late = operator.call(method, path + end, json=sent, headers={"If-Match": '"late"'})
    problem(late, 412, "precondition-failed")
    assert reader.get(path).json() == seen.json()
    timely = {"If-Match": seen.headers["etag"]}
    moved = operator.call(method, path + end, json=sent, headers=timely)
    assert moved.status_code == 200
    assert moved.headers["etag"] == reader.get(path).headers["etag"] != seen.headers["etag"]


@pytest.mark.parametrize(("method", "end", "sent"), CHANGES)
def test_every_change_needs_the_admin_scope_and_an_artifact(
    reader: Caller, writer: Caller, operator: Caller, method: str, end: str, sent: Any
) -> None:
    path = f"{BASE}/{uuid4()}{end}"
    for other in (reader, writer):
        problem(other.call(method, path, json=sent), 403, "scope-missing")
    problem(operator.call(method, path, json=sent), 404, "artifact-not-found")
