"""Batches: all or none, or each for itself."""

from typing import Any

import pytest

from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.test_artifacts import BASE, body

BATCH = f"{BASE}/batch"


def item(name: str, **fields: Any) -> dict[str, Any]:
    return body(client_refs={"name": name}, **fields)


def send(writer: Caller, *items: Any, **fields: Any) -> Any:
    return writer.call("POST", BATCH, json={"artifacts": items, **fields})


def test_each_item_ends_for_itself(writer: Caller) -> None:
    standing = writer.call("POST", BASE, json=item("stands")).json()
    told = send(
        writer,
        item("new"),
        item("wrong", size_bytes=-1),
        item("stands"),
        item("stands", content_hash="b" * 64),
        17,
    ).json()
    results = told["results"]
    assert [result["status"] for result in results] == [
        "created",
        "failed",
        "unchanged",
        "failed",
        "failed",
    ]
    assert (told["created"], told["unchanged"], told["failed"]) == (1, 1, 3)
    assert results[0]["artifact"]["client_refs"] == {"name": "new"}
    assert results[2]["artifact"] == standing
    assert pointers(results[1]["problem"]) == ["/artifacts/1/size_bytes"]
    assert results[3]["problem"]["current_artifact_id"] == standing["artifact_id"]
    assert results[3]["problem"]["type"].endswith(":artifact-conflict")
    assert pointers(results[4]["problem"]) == ["/artifacts/4"]
    for result in results:
        assert (result["artifact"] is None) == (result["status"] == "failed")
        assert (result["problem"] is None) == (result["status"] != "failed")


def test_nothing_of_an_atomic_batch_is_registered_where_an_item_conflicts(
    writer: Caller, reader: Caller
) -> None:
    standing = writer.call("POST", BASE, json=item("stands")).json()
    refused = send(writer, item("new"), item("stands", content_hash="b" * 64), atomic=True)
    told = problem(refused, 409, "batch-refused")
    (error,) = told["errors"]
    assert error["pointer"] == "/artifacts/1"
    assert error["type"].endswith(":artifact-conflict")
    assert error["current_artifact_id"] == standing["artifact_id"]
    assert revisions(reader, "new") == 0


def test_nothing_of_an_atomic_batch_is_registered_where_an_item_is_not_valid(
    writer: Caller, reader: Caller
) -> None:
    refused = send(writer, item("new"), item("wrong", size_bytes=-1), atomic=True)
    told = problem(refused, 422, "invalid-input")
    assert pointers(told) == ["/artifacts/1/size_bytes"]
    assert revisions(reader, "new") == 0


def revisions(reader: Caller, name: str) -> int:
    path = f"/api/admin/artifacts/history?client_type=ddh&name={name}"
    return reader.get(path).json()["revision_count"]


@pytest.mark.parametrize("is_atomic", [False, True])
def test_a_thousand_are_registered_at_once(writer: Caller, is_atomic: bool) -> None:
    told = send(writer, *(item(str(n)) for n in range(1000)), atomic=is_atomic).json()
    assert (told["created"], len(told["results"])) == (1000, 1000)
    names = [result["artifact"]["client_refs"]["name"] for result in told["results"]]
    assert names == [str(n) for n in range(1000)]


NO_BATCHES: list[Any] = [[], [{}] * 1001, {}, None]


@pytest.mark.parametrize("items", NO_BATCHES)
def test_a_batch_is_a_list_of_1_to_1000(writer: Caller, items: Any) -> None:
    refused = writer.call("POST", BATCH, json={"artifacts": items})
    assert pointers(problem(refused, 422, "invalid-input")) == ["/artifacts"]


def test_a_batch_is_nothing_else(writer: Caller) -> None:
    told = problem(send(writer, item("a"), nonsense=1), 422, "invalid-input")
    assert pointers(told) == ["/nonsense"]
    told = problem(send(writer, item("a"), atomic="yes"), 422, "invalid-input")
    assert pointers(told) == ["/atomic"]


def test_a_batch_of_nothing_valid_fails_item_by_item(writer: Caller) -> None:
    assert send(writer, {}, {}).json()["failed"] == 2
