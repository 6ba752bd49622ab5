"""Builds over HTTP: made once, found by what they are, failed, and looked at together."""

from typing import Any

import pytest

from shared.models.ids import new_id
from tests.integration.http.build_server import BUILDS, begin, reach, told
from tests.integration.http.caller import Caller, pointers, problem

FACETS: dict[str, Any] = {
    "project": "linux-images",
    "platform": "vsphere",
    "os_version": "rhel-9.4",
    "image_type": "base",
    "labels": {"team": "platform"},
}
UNSET: dict[str, Any] = {
    "project": None,
    "platform": None,
    "os_version": None,
    "image_type": None,
    "labels": {},
}


@pytest.mark.parametrize(("given", "expected"), [({}, UNSET), (FACETS, FACETS)])
def test_a_build_is_made_and_found_where_its_location_says(
    server: Caller, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    answer = server.call("POST", BUILDS, json={"build_number": "build-1", **given})
    build = told(answer, 201)
    assert build | expected == build
    assert (build["status"], build["state"], build["start_time"]) == ("pending", None, None)
    assert answer.headers["location"] == f"{BUILDS}/{build['id']}"
    assert told(server.get(answer.headers["location"])) == build


def test_a_number_is_one_builds_alone(server: Caller) -> None:
    build = begin(server)
    found = problem(
        server.call("POST", BUILDS, json={"build_number": "build-1"}), 409, "build-exists"
    )
    assert build.endswith(found["build_id"])


def test_a_request_that_is_sent_again_makes_no_second_build(server: Caller) -> None:
    sent: dict[str, Any] = {"json": {"build_number": "build-1"}}
    first, again = (
        server.call("POST", BUILDS, headers={"Idempotency-Key": "k"}, **sent) for _ in range(2)
    )
    assert told(again, 201) == told(first, 201)
    assert again.headers["location"] == first.headers["location"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"build_number": ""}, "/build_number"),
    ({"build_number": "a\nb"}, "/build_number"),
    ({"build_number": "x" * 256}, "/build_number"),
    ({"build_number": 7}, "/build_number"),
    ({"labels": {"": "x"}}, "/labels//[key]"),
    ({"labels": {str(count): "x" for count in range(65)}}, "/labels"),
    ({"platform": "\u0000"}, "/platform"),
    ({"status": "completed"}, "/status"),
]


def test_what_is_wrong_with_a_build_is_named(server: Caller) -> None:
    for wrong, pointer in WRONG:
        answer = server.call("POST", BUILDS, json={"build_number": "build-1", **wrong})
        assert pointers(problem(answer, 422, "invalid-input")) == [pointer], wrong
    assert told(server.get(BUILDS)) == {"builds": [], "next": None}


CONDITIONS: list[str] = [
    "build_number=build-1",
    "project=linux-images",
    "platform=vsphere",
    "os_version=rhel-9.4",
    "image_type=base",
    "status=in_progress",
    "state_code=10",
    "project=linux-images&state_code=10&status=in_progress",
]


def test_builds_are_found_by_each_of_their_facets(server: Caller) -> None:
    wanted, _ = begin(server, **FACETS), begin(server, "build-2", project="windows-images")
    reach(server, wanted, 10)
    for condition in CONDITIONS:
        found = told(server.get(f"{BUILDS}?{condition}"))
        assert [each["build_number"] for each in found["builds"]] == ["build-1"], condition


def test_builds_are_found_only_where_every_condition_holds(server: Caller) -> None:
    reach(server, begin(server, **FACETS), 10)
    for condition in ("state_code=20", "status=failed", "os_version=rhel-8"):
        found = told(server.get(f"{BUILDS}?project=linux-images&{condition}"))
        assert found == {"builds": [], "next": None}


def test_builds_are_listed_newest_first_page_by_page(server: Caller) -> None:
    for count in range(3):
        begin(server, f"build-{count}")
    first = told(server.get(f"{BUILDS}?limit=2"))
    second = told(server.get(f"{BUILDS}?limit=2&cursor={first['next']}"))
    numbers = [each["build_number"] for each in first["builds"] + second["builds"]]
    assert (numbers, second["next"]) == (["build-2", "build-1", "build-0"], None)
    other = server.get(f"{BUILDS}?status=failed&cursor={first['next']}")
    assert pointers(problem(other, 422, "invalid-input")) == ["/cursor"]


MEANINGLESS: list[tuple[str, str]] = [
    ("projct=x", "/projct"),
    ("status=done", "/status"),
    ("state_code=101", "/state_code"),
    ("state_code=9999999999999999999999", "/state_code"),
    ("project=", "/project"),
    ("limit=0", "/limit"),
    ("limit=1001", "/limit"),
]


def test_a_filter_that_means_nothing_is_refused(server: Caller) -> None:
    for query, pointer in MEANINGLESS:
        found = server.get(f"{BUILDS}?{query}")
        assert pointers(problem(found, 422, "invalid-input")) == [pointer], query


def test_a_key_of_the_hosts_is_no_filter(server: Caller) -> None:
    begin(server)
    assert len(told(server.get(f"{BUILDS}?code=secret"))["builds"]) == 1


@pytest.mark.parametrize("body", [None, {}, {"message": "No mirror."}])
def test_a_build_fails_with_whatever_is_in_progress(
    server: Caller, body: dict[str, Any] | None
) -> None:
    build = begin(server)
    reach(server, build, 10, status="in_progress")
    sent = {} if body is None else {"json": body}
    failed = told(server.call("POST", f"{build}/failure", **sent))
    assert (failed["status"], failed["message"]) == ("failed", (body or {}).get("message"))
    (attempt,) = told(server.get(f"{build}/states"))
    assert attempt["status"] == "failed"
    refused = server.call("POST", f"{build}/state", json={"state_code": 20})
    problem(refused, 409, "build-state-refused")


def test_a_failure_without_a_body_may_be_sent_again(server: Caller) -> None:
    build = begin(server)
    reach(server, build, 10, status="in_progress")
    headers = {"Idempotency-Key": "k"}
    first, again = (server.call("POST", f"{build}/failure", headers=headers) for _ in range(2))
    assert told(again) == told(first)


def test_the_dashboard_counts_builds(server: Caller) -> None:
    build = begin(server, **FACETS)
    begin(server, "build-2")
    reach(server, build, 10)
    board = told(server.get(f"{BUILDS}/dashboard"))
    assert board["total"] == 2
    assert [each["build_number"] for each in board["recent"]] == ["build-2", "build-1"]
    by_status = {each["value"]: each["builds"] for each in board["by_status"]}
    assert by_status == {"pending": 1, "in_progress": 1}
    of_one = told(server.get(f"{BUILDS}/dashboard?project=linux-images"))
    assert of_one["total"] == 1


OF_A_BUILD: list[tuple[str, str]] = [
    ("GET", ""),
    ("POST", "/state"),
    ("GET", "/states"),
    ("POST", "/failure"),
    ("POST", "/artifacts"),
    ("GET", "/artifacts"),
    ("GET", "/resume-context"),
    ("POST", "/resume"),
    ("GET", "/resumes"),
    ("GET", "/variables"),
    ("PUT", "/variables/VM_ID"),
    ("DELETE", "/variables/VM_ID"),
]


def test_nothing_is_told_of_a_build_that_is_not_there(server: Caller) -> None:
    for method, path in OF_A_BUILD:
        body = SAYS.get(path)
        sent = {} if body is None else {"json": body}
        problem(server.call(method, f"{BUILDS}/{new_id()}{path}", **sent), 404, "build-not-found")
        wrong = server.call(method, f"{BUILDS}/7{path}", **sent)
        assert pointers(problem(wrong, 422, "invalid-input")) == ["/build_id"], path


SAYS: dict[str, Any] = {
    "/state": {"state_code": 10},
    "/artifacts": {
        "state_code": 10,
        "artifact_name": "a",
        "artifact_type": "b",
        "artifact_path": "s3://c/d",
        "storage_backend": "s3",
    },
    "/variables/VM_ID": {},
}


def test_whoever_may_only_look_changes_nothing(server: Caller, reader: Caller) -> None:
    build = begin(server)
    problem(reader.call("POST", BUILDS, json={"build_number": "x"}), 403, "scope-missing")
    problem(reader.call("POST", f"{build}/state", json={"no": "state"}), 403, "scope-missing")
    problem(reader.call("POST", f"{build}/failure"), 403, "scope-missing")
    assert told(reader.get(build))["status"] == "pending"
