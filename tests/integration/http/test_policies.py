"""Policies over HTTP."""

from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import DictRow

from functions.http.policy_bodies import POLICY as EXAMPLE
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from shared.models.policy_files import PolicyFile
from tests.integration.drafting import POLICY, policy, policy_list
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.test_policies import put_foreign

POLICIES = "/api/admin/policies"
ONE, OTHER = policy("one"), policy("other", priority=5)


@pytest.fixture
def registry(registry: Registry) -> Registry:
    """With two policies and no other."""
    registry.policies.apply(policy_list(ONE, OTHER))
    return registry


@pytest.fixture
def admin(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("admin", [Scope.READ, Scope.ADMIN]).text)


def body(name: str = "one", **fields: Any) -> dict[str, Any]:
    return {"name": name} | POLICY | fields


def test_all_policies_are_one_document(admin: Caller, reader: Caller) -> None:
    read = reader.get(POLICIES)
    assert read.json() == {"version": 2, "policies": [ONE.as_json(), OTHER.as_json()]}
    applied = admin.call("PUT", POLICIES, json={"policies": [body(), body("new")]})
    assert [each["name"] for each in applied.json()["added"]] == ["new"]
    assert applied.json()["removed"] == [OTHER.as_json()]
    assert applied.headers["etag"] == reader.get(POLICIES).headers["etag"] != read.headers["etag"]
    again = admin.call("PUT", POLICIES, json={"policies": reader.get(POLICIES).json()["policies"]})
    assert (again.json()["unchanged"], again.json()["version"]) == (2, 3)


def test_what_a_dry_run_told_is_what_is_applied_or_nothing_is(
    admin: Caller, registry: Registry
) -> None:
    wanted = {"policies": [body()]}
    told = admin.call("PUT", f"{POLICIES}?dry_run=true", json=wanted)
    seen = {"If-Match": told.headers["etag"]}
    assert registry.policies.read() == PolicyFile(version=2, policies=[ONE, OTHER])
    done = admin.call("PUT", POLICIES, headers=seen, json=wanted)
    assert done.json() == {**told.json(), "version": 3}
    refused = admin.call("PUT", POLICIES, headers=seen, json=wanted)
    problem(refused, 412, "precondition-failed")


def test_one_policy_is_added_replaced_and_removed(admin: Caller, reader: Caller) -> None:
    created = admin.call("POST", POLICIES, json=body("new"))
    path = created.headers["location"]
    assert (created.status_code, path) == (201, f"{POLICIES}/new")
    problem(admin.call("POST", POLICIES, json=body("new", priority=1)), 409, "policy-exists")
    read = reader.get(path)
    assert read.json() == created.json() == policy("new").as_json()
    tag = {"If-Match": created.headers["etag"]}
    assert read.headers["etag"] == tag["If-Match"]
    changed = admin.call("PUT", path, headers=tag, json=body("new", age="PT0S"))
    assert (changed.status_code, changed.json()["age"]) == (200, "PT0S")
    problem(admin.call("PUT", path, headers=tag, json=body("new")), 412, "precondition-failed")
    problem(admin.call("DELETE", path), 422, "invalid-input")
    late = admin.call("DELETE", f"{path}?confirm=yes", headers=tag)
    problem(late, 412, "precondition-failed")
    gone = admin.call("DELETE", f"{path}?confirm=yes")
    assert [each["name"] for each in gone.json()["removed"]] == ["new"]
    for unknown in (reader.get(path), admin.call("DELETE", f"{path}?confirm=yes")):
        problem(unknown, 404, "policy-not-found")
    assert admin.call("PUT", path, json=body("new")).status_code == 201


def test_what_is_locked_stays(admin: Caller) -> None:
    assert admin.call("PUT", f"{POLICIES}/one", json=body(locked=True)).status_code == 200
    for refused in (
        admin.call("PUT", f"{POLICIES}/one", json=body()),
        admin.call("PUT", f"{POLICIES}?dry_run=true", json={"policies": []}),
        admin.call("DELETE", f"{POLICIES}/one?confirm=yes"),
    ):
        assert "'one'" in problem(refused, 409, "policy-locked")["detail"]
    longer = admin.call("PUT", f"{POLICIES}/one", json=body(locked=True, age="P1Y"))
    assert longer.json()["age"] == "P1Y"


def test_what_another_version_wrote_is_shown_as_it_is(
    admin: Caller, sql: psycopg.Connection[DictRow]
) -> None:
    put_foreign(sql)
    foreign = {"name": "foreign", "colour": None}
    read = admin.get(f"{POLICIES}/foreign")
    assert read.json() == foreign
    assert foreign in admin.get(POLICIES).json()["policies"]
    tag = {"If-Match": read.headers["etag"]}
    replaced = admin.call("PUT", f"{POLICIES}/foreign", headers=tag, json=body("foreign"))
    assert replaced.status_code == 200


def test_the_documented_policy_is_one(admin: Caller) -> None:
    assert admin.call("POST", POLICIES, json=EXAMPLE).json() == EXAMPLE


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ([body(), {"name": "x"}], "/policies/1/age"),
        ([body(unknown=1)], "/policies/0/unknown"),
        ([body(age="-P1D")], "/policies/0/age"),
        ([body(age=30)], "/policies/0/age"),
        ([body(age="P1001Y")], "/policies/0/age"),
        ([body(clock="deleted")], "/policies/0"),
        ([body(target_tier="Cool")], "/policies/0"),
        ([body(keep_last=-1)], "/policies/0/keep_last"),
        ([body(selector={"status": "gone"})], "/policies/0/selector/status"),
        ([body(locked=True, enabled=False)], "/policies/0"),
        ([body("No Name")], "/policies/0/name"),
        ([body(), body()], "/policies/1/name"),
        ([1], "/policies/0"),
        ({}, "/policies"),
        ([body(f"p{n}") for n in range(1001)], "/policies"),
    ],
)
def test_what_is_wrong_with_a_set_is_pointed_at(
    admin: Caller, registry: Registry, wrong: Any, pointer: str
) -> None:
    for query in ("", "?dry_run=true"):
        told = admin.call("PUT", POLICIES + query, json={"policies": wrong})
        assert pointer in pointers(problem(told, 422, "invalid-input"))
    assert registry.policies.read().version == 2


@pytest.mark.parametrize(
    ("wrong", "pointer"), [(body("other"), "/name"), (body(unknown=1), "/unknown"), ([], "")]
)
def test_what_is_wrong_with_one_policy_is_pointed_at(
    admin: Caller, registry: Registry, wrong: Any, pointer: str
) -> None:
    refused = admin.call("PUT", f"{POLICIES}/one", json=wrong)
    assert pointers(problem(refused, 422, "invalid-input")) == [pointer]
    assert registry.policies.read().version == 2


CHANGES: list[tuple[str, str, Any]] = [
    ("PUT", "", {"policies": []}),
    ("PUT", "?dry_run=true", {"policies": []}),
    ("POST", "", body("new")),
    ("PUT", "/one", body(priority=1)),
    ("DELETE", "/one?confirm=yes", None),
]


@pytest.mark.parametrize(("method", "target", "sent"), CHANGES)
def test_only_administrators_change_policies(
    registry: Registry,
    anonymous: Caller,
    reader: Caller,
    writer: Caller,
    method: str,
    target: str,
    sent: Any,
) -> None:
    problem(anonymous.call(method, POLICIES + target, json=sent), 401, "key-rejected")
    for caller in (reader, writer):
        problem(caller.call(method, POLICIES + target, json=sent), 403, "scope-missing")
    assert registry.policies.read() == PolicyFile(version=2, policies=[ONE, OTHER])


def test_every_change_names_its_caller_and_request(
    admin: Caller, sql: psycopg.Connection[DictRow]
) -> None:
    done = [
        admin.call("POST", POLICIES, json=body("new")),
        admin.call("PUT", f"{POLICIES}/new", json=body("new", priority=1)),
        admin.call("DELETE", f"{POLICIES}/new?confirm=yes"),
    ]
    rows = sql.execute(
        "SELECT operation, actor, request_id FROM registry.outbox"
        " WHERE details ->> 'policy' = 'new' ORDER BY position"
    ).fetchall()
    names = ["policy_created", "policy_changed", "policy_removed"]
    assert [(row["operation"], row["request_id"]) for row in rows] == [
        (name, answer.headers["x-request-id"]) for name, answer in zip(names, done, strict=True)
    ]
    assert {row["actor"].partition(":")[0] for row in rows} == {"key"}
