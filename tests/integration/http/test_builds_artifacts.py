"""Artifacts of builds over HTTP: the source document's requests and answers, and hostile ones."""

from typing import Any
from urllib.parse import quote

import pytest

from shared.models.ids import new_id
from tests.integration.http.build_server import (
    BUILDS,
    DIGITS,
    SNAPSHOT,
    begin,
    keep,
    told,
    walk,
)
from tests.integration.http.caller import Caller, pointers, problem

LISTED = {
    "id",
    "build_id",
    "state_code",
    "artifact_name",
    "artifact_type",
    "artifact_path",
    "storage_backend",
    "size_bytes",
    "checksum",
    "is_resumable",
    "is_final",
    "created_at",
}
"""Members of each artifact of a list in the source document; of one alone, all that follow."""
ALONE = LISTED | SNAPSHOT.keys() | {"updated_at"}


@pytest.fixture
def build(server: Caller) -> str:
    return begin(server)


def register(server: Caller, build: str, **members: Any) -> Any:
    return server.call("POST", f"{build}/artifacts", json=SNAPSHOT | members)


def names(server: Caller, path: str) -> list[str]:
    return [each["artifact_name"] for each in told(server.get(path))]


def test_an_artifact_is_registered_as_the_document_has_it(server: Caller, build: str) -> None:
    answer = register(server, build)
    artifact = told(answer, 201)
    assert artifact.keys() >= ALONE
    assert artifact | SNAPSHOT == artifact
    assert build.endswith(artifact["build_id"])
    assert answer.headers["location"] == f"{build}/artifacts/{artifact['id']}"
    found = server.get(answer.headers["location"])
    assert (told(found), found.headers["etag"]) == (artifact, answer.headers["etag"])
    assert told(server.get(f"{build}/artifacts?is_resumable=true")) == [artifact]


def test_the_same_artifact_is_one_of_the_registrys(
    server: Caller, operator: Caller, reader: Caller, build: str
) -> None:
    artifact = keep(server, build)
    path = f"/api/v1/artifacts/{artifact['id']}"
    of_registry = told(reader.get(path))
    assert of_registry["client_type"] == "build"
    assert of_registry["client_refs"] == {
        "build_id": artifact["build_id"],
        "name": "base-vm-snapshot",
    }
    assert of_registry["content_hash"] == artifact["content_hash"] == f"1220{DIGITS}"
    hold = {"artifact_id": artifact["id"], "reason": "litigation 7"}
    told(operator.call("POST", "/api/admin/holds", json=hold), 201)
    held = problem(
        server.call("DELETE", f"{build}/artifacts/{artifact['id']}"), 409, "artifact-held"
    )
    assert held["hold_id"]


def test_what_a_build_has_is_registered_with_its_build_alone(server: Caller, build: str) -> None:
    artifact = keep(server, build)
    refs = {"build_id": artifact["build_id"], "name": artifact["artifact_name"]}
    wanted = {"client_type": "build", "client_refs": refs, "overwrite": True}
    refused = server.call("POST", "/api/v1/artifacts", json=wanted)
    assert pointers(problem(refused, 422, "invalid-input")) == ["/client_refs"]
    batch = server.call("POST", "/api/v1/artifacts/batch", json={"artifacts": [wanted]})
    [result] = told(batch, batch.status_code)["results"]
    assert pointers(result["problem"]) == ["/artifacts/0/client_refs"]
    assert told(server.get(f"{build}/artifacts")) == [artifact]
    wanted["client_refs"] = {"name": "of no build"}
    told(server.call("POST", "/api/v1/artifacts", json=wanted), 201)


FOUND: list[tuple[str, list[str]]] = [
    ("", ["base", "notes", "packages", "image"]),
    ("state_code=20", ["notes", "packages"]),
    ("artifact_type=disk_image", ["base", "packages", "image"]),
    ("is_resumable=true", ["base", "packages"]),
    ("is_resumable=false", ["notes", "image"]),
    ("is_final=true", ["image"]),
    ("state_code=20&is_resumable=true&artifact_type=disk_image&is_final=false", ["packages"]),
    ("state_code=20&is_final=true", []),
]


def test_artifacts_are_found_by_all_conditions_by_state_and_time(
    server: Caller, build: str
) -> None:
    disk = {"artifact_type": "disk_image"}
    keep(server, build, artifact_name="notes", artifact_type="config_file", is_resumable=False)
    last = {"state_code": 100, "artifact_name": "image", "is_resumable": False, "is_final": True}
    keep(server, build, **disk, **last)
    keep(server, build, **disk, artifact_name="packages")
    keep(server, build, **disk, artifact_name="base", state_code=10)
    for query, expected in FOUND:
        assert names(server, f"{build}/artifacts?{query}") == expected, query


def test_artifacts_are_walked_page_by_page_within_their_filter(server: Caller, build: str) -> None:
    for count in range(5):
        keep(server, build, artifact_name=str(count), is_resumable=count != 2)
    pages = walk(server, f"{build}/artifacts?limit=2&is_resumable=true&artifact_type=vm_snapshot")
    assert [[each["artifact_name"] for each in page] for page in pages] == [["0", "1"], ["3", "4"]]


MEANINGLESS: list[tuple[str, str]] = [
    ("is_resumble=true", "/is_resumble"),
    ("is_resumable=perhaps", "/is_resumable"),
    ("state_code=-1", "/state_code"),
    ("state_code=ten", "/state_code"),
    ("artifact_type=", "/artifact_type"),
    ("limit=1001", "/limit"),
    ("cursor=x", "/cursor"),
    ("is_final=true&is_final=false", "/is_final"),
]


def test_a_filter_that_means_nothing_is_refused(server: Caller, build: str) -> None:
    for query, pointer in MEANINGLESS:
        found = server.get(f"{build}/artifacts?{query}")
        assert pointers(problem(found, 422, "invalid-input")) == [pointer], query


def test_a_name_is_in_use_until_its_artifact_is_overwritten_or_deleted(
    server: Caller, build: str
) -> None:
    first = keep(server, build)
    taken = problem(register(server, build), 409, "artifact-conflict")
    assert taken["current_artifact_id"] == first["id"]
    second = keep(server, build, overwrite=True)
    assert (second["revision"], second["id"] != first["id"]) == (2, True)
    assert told(server.get(f"{build}/artifacts")) == [second]
    path = f"{build}/artifacts/{second['id']}"
    deleted = told(server.call("DELETE", path))
    assert (deleted["status"], deleted["deleted_at"] is None) == ("deleted", False)
    assert told(server.call("DELETE", path)) == told(server.get(path)) == deleted
    assert keep(server, build)["artifact_name"] == first["artifact_name"]
    assert names(server, f"{build}/artifacts") == [first["artifact_name"]]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"state_code": 101}, "/state_code"),
    ({"state_code": -1}, "/state_code"),
    ({"state_code": True}, "/state_code"),
    ({"artifact_name": ""}, "/artifact_name"),
    ({"artifact_name": "a\nb"}, "/artifact_name"),
    ({"artifact_name": "state-0"}, "/artifact_name"),
    ({"artifact_name": "state-100"}, "/artifact_name"),
    ({"artifact_type": ""}, "/artifact_type"),
    ({"artifact_path": ""}, "/artifact_path"),
    ({"storage_backend": ""}, "/storage_backend"),
    ({"size_bytes": -1}, "/size_bytes"),
    ({"size_bytes": 2**63}, "/size_bytes"),
    ({"size_bytes": "12"}, "/size_bytes"),
    ({"checksum": "x" * 64}, "/checksum"),
    ({"checksum": DIGITS[1:]}, "/checksum"),
    ({"checksum": f"md5:{DIGITS}"}, "/checksum"),
    ({"checksum_algorithm": "md5"}, "/checksum"),
    ({"checksum_algorithm": "crc32"}, "/checksum_algorithm"),
    ({"is_resumable": "yes"}, "/is_resumable"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
    ({"expires_at": "2020-01-01T00:00:00"}, "/expires_at"),
    ({"metadata": {"a": "\u0000"}}, "/metadata"),
    ({"id": str(new_id())}, "/id"),
    ({"deleted_at": None}, "/deleted_at"),
]


def test_what_is_wrong_with_an_artifact_is_named(server: Caller, build: str) -> None:
    for wrong, pointer in WRONG:
        answer = register(server, build, **wrong)
        assert pointers(problem(answer, 422, "invalid-input")) == [pointer], wrong
    assert told(server.get(f"{build}/artifacts")) == []


def test_flags_expiry_metadata_and_name_are_changed_and_nothing_else(
    server: Caller, build: str
) -> None:
    artifact = keep(server, build)
    path = f"{build}/artifacts/{artifact['id']}"
    changes: dict[str, Any] = {"artifact_name": "rhel-9-base-final", "is_final": True}
    changed = told(server.call("PATCH", path, json=changes))
    assert changed == artifact | changes | {"updated_at": changed["updated_at"]}
    more = told(server.call("PATCH", path, json={"metadata": {"vm_id": None, "a": 1}}))
    assert more["metadata"] == artifact["metadata"] | {"vm_id": None, "a": 1}
    until = told(server.call("PATCH", path, json={"expires_at": "2100-01-01T00:00:00Z"}))
    assert until["expires_at"] == "2100-01-01T00:00:00Z"
    assert told(server.call("PATCH", path, json={"expires_at": None}))["expires_at"] is None
    for fact in ("checksum", "size_bytes", "artifact_path", "state_code", "storage_backend"):
        refused = server.call("PATCH", path, json={fact: artifact[fact]})
        assert pointers(problem(refused, 422, "invalid-input")) == [f"/{fact}"]


def test_a_change_of_what_somebody_changed_meanwhile_is_refused(server: Caller, build: str) -> None:
    answer = register(server, build)
    path, seen = answer.headers["location"], {"If-Match": answer.headers["etag"]}
    changed = server.call("PATCH", path, headers=seen, json={"is_final": True})
    assert told(changed)["is_final"]
    late = server.call("PATCH", path, headers=seen, json={"is_final": False})
    problem(late, 412, "precondition-failed")
    problem(server.call("DELETE", path, headers=seen), 412, "precondition-failed")
    assert told(server.get(path)) == told(changed)


def test_a_name_that_another_artifact_has_is_not_taken_from_it(server: Caller, build: str) -> None:
    one, other = keep(server, build), keep(server, build, artifact_name="other")
    path = f"{build}/artifacts/{other['id']}"
    answer = server.call("PATCH", path, json={"artifact_name": one["artifact_name"]})
    assert problem(answer, 409, "artifact-name-taken")["artifact_id"] == one["id"]
    assert told(server.get(path)) == other


def test_a_name_that_states_tell_is_given_to_nothing_else(server: Caller, build: str) -> None:
    for name in ("state-101", "state-010", "State-10", "state-"):
        own = keep(server, build, artifact_name=name)
        path = f"{build}/artifacts/{own['id']}"
        refused = server.call("PATCH", path, json={"artifact_name": "state-10"})
        assert pointers(problem(refused, 422, "invalid-input")) == ["/artifact_name"]
        assert told(server.get(path)) == own


def test_an_artifact_is_found_in_its_own_build_alone(server: Caller, build: str) -> None:
    artifact, other = keep(server, build), begin(server, "build-2")
    path = f"{other}/artifacts/{artifact['id']}"
    for method in ("GET", "DELETE"):
        problem(server.call(method, path), 404, "artifact-not-found")
    problem(server.call("PATCH", path, json={"is_final": True}), 404, "artifact-not-found")
    problem(server.call("POST", f"{path}/verify"), 404, "artifact-not-found")
    assert told(server.get(f"{build}/artifacts")) == [artifact]


def test_bytes_that_the_registry_does_not_serve_are_not_verified(
    server: Caller, build: str
) -> None:
    artifact = keep(server, build)
    answer = server.call("POST", f"{build}/artifacts/{artifact['id']}/verify")
    problem(answer, 409, "bytes-not-served")


def test_what_opens_the_bytes_is_not_kept(server: Caller, build: str) -> None:
    signed = "https://a.blob.core.windows.net/c/b.vhd?sv=1&sig=" + quote("secret/==")
    told_of = keep(server, build, artifact_path=signed, storage_backend="azure_blob")
    assert told_of["artifact_path"] == "https://a.blob.core.windows.net/c/b.vhd"
    assert "secret" not in server.get(f"{build}/artifacts").text


def test_a_registration_that_is_sent_again_is_kept_once(server: Caller, build: str) -> None:
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}, "json": SNAPSHOT}
    first, again = (server.call("POST", f"{build}/artifacts", **sent) for _ in range(2))
    assert told(again, 201) == told(first, 201)
    assert told(server.get(f"{build}/artifacts")) == [told(first, 201)]


def test_a_key_that_one_builds_request_had_is_no_other_builds(server: Caller, build: str) -> None:
    other = begin(server, "build-2")
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}, "json": SNAPSHOT}
    told(server.call("POST", f"{build}/artifacts", **sent), 201)
    reused = server.call("POST", f"{other}/artifacts", **sent)
    problem(reused, 422, "idempotency-key-reused")
    assert told(server.get(f"{BUILDS}/{other.rpartition('/')[2]}/artifacts")) == []
