"""Resumes of builds over HTTP: what it takes, one at a time, and how it is followed."""

from typing import Any

import pytest

from shared.models.ids import new_id
from tests.integration.http.build_server import SNAPSHOT, begin, keep, reach, told
from tests.integration.http.caller import Caller, pointers, problem


@pytest.fixture
def failed(server: Caller) -> str:
    """A build that completed states 10 and 20, with an artifact of each, and failed at 30."""
    build = begin(server)
    for state in (10, 20):
        keep(server, build, state_code=state, artifact_name=f"image-{state}")
        reach(server, build, state)
    reach(server, build, 30, status="in_progress")
    told(server.call("POST", f"{build}/failure", json={"message": "No mirror."}))
    return build


def resume(server: Caller, build: str, **wanted: Any) -> Any:
    return told(server.call("POST", f"{build}/resume", json=wanted), 201)


def test_whoever_goes_on_is_told_where_and_with_what(server: Caller, failed: str) -> None:
    context = told(server.get(f"{failed}/resume-context"))
    states = ("last_successful_state", "failed_state", "resume_from", "next_state")
    assert [context[name]["code"] for name in states] == [20, 30, 20, 30]
    assert (context["can_resume"], context["missing"]) == (True, [])
    assert context["failure_message"] == "No mirror."
    usable = context["resumable_artifacts"]
    assert [each["artifact_name"] for each in usable] == ["image-10", "image-20"]
    assert usable == told(server.get(f"{failed}/artifacts"))


def test_a_resume_reopens_the_build_and_is_followed_to_its_end(server: Caller, failed: str) -> None:
    answer = server.call("POST", f"{failed}/resume", json={"reason": "The mirror is back."})
    made = told(answer, 201)
    path = answer.headers["location"]
    assert path == f"{failed}/resumes/{made['id']}"
    assert (made["status"], made["from_state"], made["next_state"]) == ("pending", 20, 30)
    assert told(server.get(failed))["status"] == "in_progress"
    newest = told(server.get(f"{failed}/states"))[0]
    assert (newest["id"], newest["state"], newest["attempt"]) == (made["state_id"], 30, 2)
    for status in ("triggered", "running", "completed"):
        moved = told(server.call("PATCH", path, json={"status": status, "message": status}))
        assert (moved["status"], moved["message"]) == (status, status)
    assert told(server.get(path)) == moved
    assert told(server.get(f"{failed}/resumes")) == {"resumes": [moved], "next": None}
    back = server.call("PATCH", path, json={"status": "running"})
    problem(back, 409, "build-state-refused")


def test_a_resume_may_be_asked_for_without_a_body(server: Caller, failed: str) -> None:
    headers = {"Idempotency-Key": "k"}
    first, again = (server.call("POST", f"{failed}/resume", headers=headers) for _ in range(2))
    assert told(first, 201) == told(again, 201)


def test_one_resume_at_a_time_is_under_way(server: Caller, failed: str) -> None:
    made = resume(server, failed)
    second = problem(server.call("POST", f"{failed}/resume"), 409, "resume-under-way")
    assert second["resume_id"] == made["id"]
    assert told(server.get(f"{failed}/resume-context"))["pending_resume_id"] == made["id"]


def test_a_build_goes_on_from_an_earlier_state_where_that_is_wanted(
    server: Caller, failed: str
) -> None:
    made = resume(server, failed, from_state=10)
    assert (made["from_state"], made["next_state"]) == (10, 20)
    assert told(server.get(failed))["state"] == 10


def test_what_is_missing_for_a_resume_is_listed(server: Caller, failed: str) -> None:
    variable = f"{failed}/variables/VM_ID"
    told(server.call("PUT", variable, json={"required_for_resume": True}))
    refused = problem(server.call("POST", f"{failed}/resume"), 409, "resume-not-possible")
    assert any("VM_ID" in each for each in refused["missing"])
    assert refused["missing"] == told(server.get(f"{failed}/resume-context"))["missing"]
    assert told(server.get(failed))["status"] == "failed"
    told(server.call("PUT", variable, json={"value": "vm-abc123", "required_for_resume": True}))
    assert resume(server, failed)["from_state"] == 20


def test_a_state_whose_artifact_is_gone_is_not_gone_on_from(server: Caller, failed: str) -> None:
    _, last = told(server.get(f"{failed}/artifacts"))
    told(server.call("DELETE", f"{failed}/artifacts/{last['id']}"))
    refused = server.call("POST", f"{failed}/resume", json={"from_state": 20})
    problem(refused, 409, "resume-not-possible")
    assert resume(server, failed)["from_state"] == 10


def test_what_is_completed_is_not_resumed(server: Caller) -> None:
    build = begin(server)
    reach(server, build, 100)
    problem(server.call("POST", f"{build}/resume"), 409, "build-state-refused")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"from_state": 15}, "/from_state"),
    ({"from_state": 101}, "/from_state"),
    ({"from_state": "10"}, "/from_state"),
    ({"reason": "x" * 1001}, "/reason"),
    ({"force": True}, "/force"),
]


def test_what_is_wrong_with_a_resume_is_named(server: Caller, failed: str) -> None:
    for body, pointer in WRONG:
        answer = server.call("POST", f"{failed}/resume", json=body)
        assert pointers(problem(answer, 422, "invalid-input")) == [pointer], body


WRONG_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({}, "/status"),
    ({"status": "done"}, "/status"),
    ({"status": None}, "/status"),
    ({"status": "running", "saved_seconds": 7}, "/saved_seconds"),
]


def test_what_is_wrong_with_a_change_of_a_resume_is_named(server: Caller, failed: str) -> None:
    path = f"{failed}/resumes/{resume(server, failed)['id']}"
    for body, pointer in WRONG_CHANGES:
        answer = server.call("PATCH", path, json=body)
        assert pointers(problem(answer, 422, "invalid-input")) == [pointer], body


def test_a_resume_is_found_in_its_own_build_alone(server: Caller, failed: str) -> None:
    made, other = resume(server, failed), begin(server, "build-2")
    for path in (f"{other}/resumes/{made['id']}", f"{failed}/resumes/{new_id()}"):
        problem(server.get(path), 404, "resume-not-found")
        moved = server.call("PATCH", path, json={"status": "failed"})
        problem(moved, 404, "resume-not-found")
    assert told(server.get(f"{failed}/resumes/{made['id']}")) == made


def test_artifacts_of_another_state_are_not_taken_for_what_is_needed(server: Caller) -> None:
    build = begin(server)
    told(server.call("POST", f"{build}/artifacts", json=SNAPSHOT | {"state_code": 20}), 201)
    reach(server, build, 10)
    context = told(server.get(f"{build}/resume-context"))
    assert (context["can_resume"], context["resume_from"]) == (False, None)
    assert context["resumable_artifacts"] == []
