"""States of builds over HTTP: told as the source document tells them, and read back."""

from typing import Any

import pytest

from tests.integration.http.build_server import (
    BUILDS,
    DIGITS,
    begin,
    following,
    reach,
    told,
    walk,
)
from tests.integration.http.caller import Caller, pointers, problem

IMAGE: dict[str, Any] = {
    "artifact_storage_type": "s3",
    "artifact_storage_path": "s3://my-builds/project-123/build-456/state-25/base-image.qcow2",
    "artifact_size_bytes": 2147483648,
    "artifact_checksum": f"sha256:{DIGITS}",
    "artifact_metadata": {
        "compression": "gzip",
        "format": "qcow2",
        "virtual_size_gb": 100,
        "upload_duration_seconds": 45,
    },
}
CATALOGUE = {
    "states": [
        {"code": 10, "name": "base-image-created", "initial": True},
        {"code": 25, "name": "package-installation"},
        {"code": 90, "name": "given-up", "error": True},
        {"code": 100, "name": "published", "final": True},
    ]
}
DOCUMENTED = {
    "id",
    "build_id",
    "state",
    "status",
    "start_time",
    "end_time",
    "duration_seconds",
    "artifact_storage_type",
    "artifact_storage_path",
    "artifact_size_bytes",
    "artifact_checksum",
    "artifact_metadata",
    "created_at",
}
"""Members of the answer in the source document."""


@pytest.fixture
def catalogued(server: Caller, operator: Caller) -> str:
    """A build whose project says which states there are."""
    path = f"{BUILDS}/projects/linux-images"
    told(operator.call("PUT", path, json=CATALOGUE))
    return begin(server, project="linux-images")


def test_a_state_is_told_as_the_document_tells_it(server: Caller, catalogued: str) -> None:
    reach(server, catalogued, 10)
    body = {"state_name": "package-installation", "message": "Packages installed successfully"}
    attempt = told(server.call("POST", f"{catalogued}/state", json=body | IMAGE), 201)
    assert attempt.keys() >= DOCUMENTED
    assert (attempt["state"], attempt["status"], attempt["attempt"]) == (25, "completed", 1)
    assert attempt | IMAGE == attempt
    assert catalogued.endswith(attempt["build_id"])
    assert told(server.get(f"{catalogued}/states"))[0] == attempt


def test_what_is_told_with_a_state_is_an_artifact_like_any_other(
    server: Caller, reader: Caller
) -> None:
    build = begin(server)
    attempt = reach(server, build, 25, **IMAGE)
    (listed,) = told(server.get(f"{build}/artifacts"))
    assert (listed["id"], listed["artifact_name"]) == (attempt["artifact_id"], "state-25")
    assert listed["checksum"] == IMAGE["artifact_checksum"]
    found = told(reader.get(f"/api/v1/artifacts?content_hash=1220{DIGITS}"))["artifacts"]
    assert [each["artifact_id"] for each in found] == [attempt["artifact_id"]]


def test_states_are_an_array_newest_first_that_links_to_what_follows(server: Caller) -> None:
    build = begin(server)
    for state in range(5):
        reach(server, build, state)
    assert [each["state"] for each in told(server.get(f"{build}/states"))] == [4, 3, 2, 1, 0]
    assert following(server.get(f"{build}/states")) is None
    pages = walk(server, f"{build}/states?limit=2&code=secret")
    assert [[each["state"] for each in page] for page in pages] == [[4, 3], [2, 1], [0]]
    link = server.get(f"{build}/states?limit=2&code=secret").headers["link"]
    assert link.startswith("<?limit=2&cursor=")
    assert link.endswith('>; rel="next"')


def test_an_attempt_that_failed_is_followed_by_another(server: Caller) -> None:
    build = begin(server)
    statuses = ["in_progress", "failed", "in_progress", "completed"]
    attempts = [reach(server, build, 10, status=status) for status in statuses]
    assert [each["attempt"] for each in attempts] == [1, 1, 2, 2]
    first, second = told(server.get(f"{build}/states"))[::-1]
    assert (first["status"], second["status"]) == ("failed", "completed")
    assert first["duration_seconds"] >= 0
    assert told(server.get(build))["state"] == 10


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ([{"state_code": 20}], {"state_code": 10}),
        ([{"state_code": 20}], {"state_code": 20}),
        ([{"state_code": 20, "status": "in_progress"}], {"state_code": 30}),
        (
            [{"state_code": 20, "status": "in_progress"}],
            {"state_code": 20, "status": "in_progress"},
        ),
        ([{"state_code": 100}], {"state_code": 100}),
    ],
)
def test_what_the_builds_state_does_not_allow_is_refused(
    server: Caller, before: list[dict[str, Any]], refused: dict[str, Any]
) -> None:
    build = begin(server)
    for each in before:
        told(server.call("POST", f"{build}/state", json=each), 201)
    history = told(server.get(f"{build}/states"))
    answer = server.call("POST", f"{build}/state", json=refused | IMAGE)
    problem(answer, 409, "build-state-refused")
    assert told(server.get(f"{build}/states")) == history
    assert told(server.get(f"{build}/artifacts")) == []


@pytest.mark.parametrize(
    ("state", "status", "ends"),
    [
        ({"state_name": "given-up"}, "failed", "failed"),
        ({"state_name": "base-image-created"}, "completed", "in_progress"),
    ],
)
def test_a_catalogue_says_what_a_state_means(
    server: Caller, catalogued: str, state: dict[str, Any], status: str, ends: str
) -> None:
    attempt = told(server.call("POST", f"{catalogued}/state", json=state), 201)
    assert attempt["status"] == status
    assert told(server.get(catalogued))["status"] == ends


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"state_name": "unknown"}, "/state_name"),
        ({"state_code": 11}, "/state_code"),
        ({"state_code": 10, "state_name": "package-installation"}, "/state_name"),
    ],
)
def test_a_state_that_the_catalogue_does_not_have_is_refused(
    server: Caller, catalogued: str, body: dict[str, Any], pointer: str
) -> None:
    answer = server.call("POST", f"{catalogued}/state", json=body)
    assert pointers(problem(answer, 422, "invalid-input")) == [pointer]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"state_name": "x"}, "/state_name"),
    ({"state_code": 101}, "/state_code"),
    ({"state_code": -1}, "/state_code"),
    ({"state_code": "10"}, "/state_code"),
    ({"state_code": 10.5}, "/state_code"),
    ({"state_code": 10, "status": "done"}, "/status"),
    ({"state_code": 10, **IMAGE, "artifact_size_bytes": -1}, "/artifact_size_bytes"),
    ({"state_code": 10, **IMAGE, "artifact_size_bytes": 2**63}, "/artifact_size_bytes"),
    ({"state_code": 10, **IMAGE, "artifact_checksum": "sha256:abc"}, "/artifact_checksum"),
    ({"state_code": 10, **IMAGE, "artifact_checksum": "crc32:abc"}, "/artifact_checksum"),
    ({"state_code": 10, **IMAGE, "artifact_metadata": []}, "/artifact_metadata"),
    ({"state_code": 10, "artifact_storage_type": "s3"}, ""),
    ({"state_code": 10, "artifact_checksum": DIGITS}, ""),
    ({"state_code": 10, "artifact": "x"}, "/artifact"),
]


def test_what_is_wrong_with_a_state_is_named(server: Caller) -> None:
    build = begin(server)
    for body, pointer in WRONG:
        answer = server.call("POST", f"{build}/state", json=body)
        assert pointers(problem(answer, 422, "invalid-input")) == [pointer], body
    assert told(server.get(f"{build}/states")) == []


def test_a_state_that_is_told_again_is_told_once(server: Caller) -> None:
    build = begin(server)
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}, "json": {"state_code": 10} | IMAGE}
    first, again = (server.call("POST", f"{build}/state", **sent) for _ in range(2))
    assert told(again, 201) == told(first, 201)
    assert len(told(server.get(f"{build}/states"))) == 1
    sent["json"] = {"state_code": 20}
    other = server.call("POST", f"{build}/state", **sent)
    problem(other, 422, "idempotency-key-reused")
