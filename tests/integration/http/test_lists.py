"""Lists, look-ups, figures, duplicates and decisions over HTTP."""

import json
from typing import Any

import pytest

from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.test_artifacts import BASE, body

ADMIN = "/api/admin/artifacts"
HASH = "1220" + "a" * 64


@pytest.fixture
def made(writer: Caller) -> list[dict[str, Any]]:
    """Three assets with the same bytes, the last of another client; oldest first."""
    asked: list[dict[str, Any]] = [
        {"client_refs": {"n": 1}, "metadata": {"title": "one", "tags": ["a"]}, "size_bytes": 10},
        {"client_refs": {"n": 2}, "source_job_id": "job", "size_bytes": 10},
        {"client_refs": {"n": True}, "client_type": "other", "size_bytes": 10},
    ]
    return [writer.call("POST", BASE, json=body(**fields)).json() for fields in asked]


def ids(artifacts: list[dict[str, Any]]) -> list[str]:
    return [artifact["artifact_id"] for artifact in artifacts]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({}, [2, 1, 0]),
        ({"sort": "created_at"}, [0, 1, 2]),
        ({"client_type": "ddh"}, [1, 0]),
        ({"client_refs": '{"n": 1}'}, [0]),
        ({"client_refs": '{"n": "1"}'}, []),
        ({"client_refs": '{"n": true}'}, [2]),
        ({"metadata": '{"tags": ["a"]}'}, [0]),
        ({"job_id": "job"}, [1]),
        ({"source_job_id": "job", "status": "active"}, [1]),
        ({"status": "deleted"}, []),
        ({"content_hash": "sha256:" + "A" * 64, "client_type": "other"}, [2]),
        ({"created_before": "2000-01-01T00:00:00Z"}, []),
        ({"code": "a function key"}, [2, 1, 0]),
    ],
)
def test_a_list_holds_what_satisfies_every_condition(
    reader: Caller, made: list[dict[str, Any]], query: dict[str, str], places: list[int]
) -> None:
    found = reader.get(BASE, params=query).json()
    assert found["artifacts"] == [made[place] for place in places]
    assert found["next"] is None


def test_a_list_goes_on_where_the_cursor_stands(reader: Caller, made: list[dict[str, Any]]) -> None:
    first = reader.get(f"{BASE}?limit=2").json()
    assert ids(first["artifacts"]) == ids(made)[:0:-1]
    rest = reader.get(BASE, params={"limit": "2", "cursor": first["next"]}).json()
    assert ids(rest["artifacts"]) == ids(made)[:1]
    other = reader.get(BASE, params={"client_type": "ddh", "cursor": first["next"]})
    assert pointers(problem(other, 422, "invalid-input")) == ["/cursor"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("sort=name", "/sort"),
        ("status=gone", "/status"),
        ("client_refs={}", "/client_refs"),
        ("client_refs=[]", "/client_refs"),
        ('client_refs={"a":1,"a":2}', "/client_refs/a"),
        ('metadata={"a":NaN}', "/metadata/a"),
        ("metadata=null1", "/metadata"),
        ("content_hash=1220", "/content_hash"),
        ("created_from=yesterday", "/created_from"),
        ("created_from=2026-01-01T00:00:00", "/created_from"),
        ("dataset_id=flood", "/dataset_id"),
        ("client_type=a&client_type=b", "/client_type"),
        ("client_type=%00", "/client_type"),
        ("job_id=a&source_job_id=b", "/source_job_id"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(
    reader: Caller, query: str, pointer: str
) -> None:
    told = problem(reader.get(f"{BASE}?{query}"), 422, "invalid-input")
    assert pointers(told) == [pointer]


def test_references_lead_to_the_current_artifact(
    reader: Caller, operator: Caller, made: list[dict[str, Any]]
) -> None:
    path = f"{ADMIN}/refs?client_type=ddh&client_refs={json.dumps({'n': 1})}"
    found = reader.get(path)
    assert found.json() == {"artifact": made[0], "match": "exact", "matched_assets": 1}
    assert found.headers["etag"] == reader.get(f"{BASE}/{ids(made)[0]}").headers["etag"]
    operator.call("DELETE", f"{ADMIN}/{ids(made)[0]}?confirm=yes")
    problem(reader.get(path), 404, "artifact-not-found")
    tombstone = reader.get(f"{path}&include_superseded=true").json()["artifact"]
    assert (tombstone["artifact_id"], tombstone["status"]) == (ids(made)[0], "deleted")


def test_a_function_key_is_no_reference_of_a_look_up(reader: Caller, writer: Caller) -> None:
    artifact = writer.call("POST", BASE, json=body(client_refs={"a": "b"})).json()
    found = reader.get(f"{ADMIN}/refs?client_type=ddh&a=b&code=secret").json()
    assert (found["artifact"], found["match"]) == (artifact, "exact")


def test_figures_are_numbers_and_zeros_for_whom_nobody_knows(
    reader: Caller, made: list[dict[str, Any]]
) -> None:
    told = reader.get(f"{ADMIN}/stats?client_type=ddh").json()
    assert told["client_type"] == "ddh"
    assert (told["stats"]["artifact_count"], told["stats"]["size_bytes"]) == (2, 20)
    assert set(told["stats"]["statuses"]) == {
        "pending",
        "active",
        "superseded",
        "archived",
        "deleted",
    }
    assert reader.get(f"{ADMIN}/stats").json()["stats"]["asset_count"] == 3
    assert reader.get(f"{ADMIN}/stats?client_type=none").json()["stats"]["artifact_count"] == 0


@pytest.mark.parametrize("written", ["a" * 64, "sha256:" + "A" * 64, HASH])
def test_the_same_bytes_are_found_however_their_hash_is_written(
    reader: Caller, made: list[dict[str, Any]], written: str
) -> None:
    found = reader.get(f"{ADMIN}/duplicates?content_hash={written}").json()
    assert (found["content_hash"], found["count"], found["next"]) == (HASH, 3, None)
    assert sorted(ids(found["artifacts"])) == sorted(ids(made))


def test_no_hash_equals_no_hash(reader: Caller, writer: Caller) -> None:
    for name in "ab":
        writer.call("POST", BASE, json=body(client_refs={"n": name}, content_hash=None))
    found = reader.get(f"{ADMIN}/duplicates?content_hash=").json()
    assert found == {"content_hash": None, "count": 0, "artifacts": [], "next": None}


def test_duplicates_come_as_groups_with_what_they_cost(
    reader: Caller, made: list[dict[str, Any]]
) -> None:
    (group,) = reader.get(f"{ADMIN}/duplicates?across_clients=true").json()["groups"]
    assert (group["content_hash"], group["clients"]) == (HASH, {"ddh": 2, "other": 1})
    assert reader.get(f"{ADMIN}/duplicates?client_type=none").json() == {"groups": [], "next": None}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("content_hash=12", "/content_hash"),
        (f"content_hash={HASH}&client_type=a", "/content_hash"),
        (f"content_hash={HASH}&across_clients=true", "/content_hash"),
        ("across_clients=perhaps", "/across_clients"),
        ("cursor=x", "/cursor"),
    ],
)
def test_duplicates_of_nothing_in_particular_are_refused(
    reader: Caller, query: str, pointer: str
) -> None:
    told = problem(reader.get(f"{ADMIN}/duplicates?{query}"), 422, "invalid-input")
    assert pointers(told) == [pointer]


@pytest.mark.parametrize(
    ("asked", "decision", "changed"),
    [
        ({"metadata": {"title": "one"}}, "no_change", []),
        ({"metadata": {"title": "two"}}, "metadata_only", ["title"]),
        ({"content_hash": "b" * 64}, "full_reprocess", ["content_hash"]),
        ({"client_refs": {"n": 9}}, "full_reprocess", []),
    ],
)
def test_a_decision_needs_no_more_than_the_read_scope(
    reader: Caller,
    made: list[dict[str, Any]],
    asked: dict[str, Any],
    decision: str,
    changed: list[str],
) -> None:
    sent = {"client_type": "ddh", "client_refs": {"n": 1}, "content_hash": HASH, **asked}
    told = reader.call("POST", f"{BASE}/overwrite-decision", json=sent).json()
    assert (told["decision"], told["changed"]) == (decision, changed)


def test_a_decision_is_asked_for_an_asset(reader: Caller) -> None:
    told = problem(
        reader.call("POST", f"{BASE}/overwrite-decision", json={"client_type": "a", "x": 1}),
        422,
        "invalid-input",
    )
    assert sorted(pointers(told)) == ["/client_refs", "/x"]
