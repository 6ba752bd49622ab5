"""Ingestion rules over HTTP."""

from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import DictRow
from psycopg.types.json import Json

from functions.http.rule_bodies import RULE as EXAMPLE
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from shared.models.rule_files import RuleFile
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.ruling import RULE, rule, rule_list

RULES = "/api/admin/rules"
ONE, OTHER = rule("one"), rule("other", priority=5)
FIRST = {"rules": [ONE.model_dump(mode="json")]}
SECOND = {"rules": [OTHER.model_dump(mode="json")]}


@pytest.fixture
def admin(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("admin", [Scope.READ, Scope.ADMIN]).text)


def body(**fields: Any) -> dict[str, Any]:
    return {"name": "one"} | RULE | fields


def test_a_set_of_rules_is_applied_and_read(admin: Caller, reader: Caller) -> None:
    empty = reader.get(RULES)
    assert empty.json() == {"version": 0, "rules": []}
    applied = admin.call("PUT", RULES, json={"rules": [body(), body(name="other")]})
    assert applied.status_code == 200
    assert [each["name"] for each in applied.json()["added"]] == ["one", "other"]
    read = reader.get(RULES)
    assert read.json() == {"version": 1, "rules": applied.json()["added"]}
    assert read.headers["etag"] == applied.headers["etag"] != empty.headers["etag"]
    again = admin.call("PUT", RULES, json={"rules": read.json()["rules"]})
    assert (again.json()["unchanged"], again.json()["version"]) == (2, 1)


def test_what_a_dry_run_told_is_what_is_applied_or_nothing_is(
    admin: Caller, registry: Registry
) -> None:
    admin.call("PUT", RULES, json=FIRST)
    told = admin.call("PUT", f"{RULES}?dry_run=true", json=SECOND)
    seen = told.headers["etag"]
    assert registry.rules.read() == RuleFile(version=1, rules=[ONE])
    registry.rules.put(rule("meanwhile"))
    refused = admin.call("PUT", RULES, headers={"If-Match": seen}, json=SECOND)
    problem(refused, 412, "precondition-failed")
    assert registry.rules.read() == RuleFile(version=2, rules=[rule("meanwhile"), ONE])
    registry.rules.remove("meanwhile")
    # The same rules, but not the same version: somebody was there.
    problem(admin.call("PUT", RULES, headers={"If-Match": seen}, json=SECOND), 412, *_FAILED)
    seen = admin.call("PUT", f"{RULES}?dry_run=true", json=SECOND).headers["etag"]
    done = admin.call("PUT", RULES, headers={"If-Match": seen}, json=SECOND)
    assert done.json() == {**told.json(), "version": 4}


_FAILED = ("precondition-failed",)


def test_one_rule_is_added_replaced_and_removed(admin: Caller, reader: Caller) -> None:
    path = f"{RULES}/one"
    problem(reader.get(path), 404, "rule-not-found")
    added = admin.call("PUT", path, json=body())
    same = admin.call("PUT", path, json=body())
    assert (added.status_code, same.status_code) == (201, 200)
    read = reader.get(path)
    assert read.json() == added.json() == ONE.model_dump(mode="json")
    assert read.headers["etag"] == added.headers["etag"] == same.headers["etag"]
    tag = {"If-Match": added.headers["etag"]}
    changed = admin.call("PUT", path, headers=tag, json=body(priority=7))
    assert (changed.status_code, changed.json()["priority"]) == (200, 7)
    for change in ("PUT", "DELETE"):
        options = {"json": body()} if change == "PUT" else {}
        asked = f"{path}?confirm=yes" if change == "DELETE" else path
        refused = admin.call(change, asked, headers=tag, **options)
        problem(refused, 412, "precondition-failed")
    problem(admin.call("DELETE", path), 422, "invalid-input")
    gone = admin.call("DELETE", f"{path}?confirm=yes")
    assert [each["name"] for each in gone.json()["removed"]] == ["one"]
    assert gone.headers["etag"] == reader.get(RULES).headers["etag"]
    problem(admin.call("DELETE", f"{path}?confirm=yes"), 404, "rule-not-found")


def test_a_rule_of_another_version_is_seen_and_replaced_but_not_gone_by(
    admin: Caller, sql: psycopg.Connection[DictRow]
) -> None:
    foreign = {"name": "one", "colour": "red"}
    sql.execute("INSERT INTO registry.ingestion_rules VALUES ('one', %s)", [Json(foreign)])
    asked = {"container": "uploads", "path": "flood-2024/site-a.tif"}
    problem(admin.call("POST", f"{RULES}/test", json=asked), 503, "rules-unreadable")
    read = admin.get(f"{RULES}/one")
    assert read.json() == foreign
    assert admin.get(RULES).json()["rules"] == [foreign]
    told = admin.call("PUT", f"{RULES}?dry_run=true", json=FIRST).json()["changed"]
    assert told == [{"name": "one", "before": foreign, "after": FIRST["rules"][0]}]
    tag = {"If-Match": read.headers["etag"]}
    assert admin.call("PUT", f"{RULES}/one", headers=tag, json=body()).status_code == 200
    assert admin.call("POST", f"{RULES}/test", json=asked).json()["rule"] == "one"


def test_a_rule_called_test_is_one_like_any_other(admin: Caller) -> None:
    path = f"{RULES}/test"
    assert admin.call("PUT", path, json=body(name="test")).status_code == 201
    assert admin.get(path).json()["name"] == "test"
    assert admin.call("DELETE", f"{path}?confirm=yes").status_code == 200


def test_the_documented_rule_is_one(admin: Caller) -> None:
    applied = admin.call("PUT", f"{RULES}/{EXAMPLE['name']}", json=EXAMPLE)
    assert applied.json() == EXAMPLE


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ([body(), {"name": "x"}], "/rules/1/client_refs"),
        ([body(unknown=1)], "/rules/0/unknown"),
        ([body(path="{a}{b}.tif")], "/rules/0/path"),
        ([body(path=["{dataset_id}/{resource_id}", "{a}{b}"])], "/rules/0/path/1"),
        ([body(client_refs={"a": "{nowhere}"})], "/rules/0/client_refs/a"),
        ([body(name="No Name")], "/rules/0/name"),
        ([body(), body()], "/rules/1/name"),
        ([body(priority=True)], "/rules/0/priority"),
        ([1], "/rules/0"),
        ({}, "/rules"),
        ([body(name=f"r{n}") for n in range(1001)], "/rules"),
    ],
)
def test_what_is_wrong_with_a_set_is_pointed_at(
    admin: Caller, reader: Caller, wrong: Any, pointer: str
) -> None:
    for query in ("", "?dry_run=true"):
        told = admin.call("PUT", RULES + query, json={"rules": wrong})
        assert pointer in pointers(problem(told, 422, "invalid-input"))
    assert reader.get(RULES).json()["version"] == 0


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (body(name="other"), "/name"),
        (body(unknown=1), "/unknown"),
        ([], ""),
    ],
)
def test_what_is_wrong_with_one_rule_is_pointed_at(admin: Caller, wrong: Any, pointer: str) -> None:
    refused = admin.call("PUT", f"{RULES}/one", json=wrong)
    assert pointers(problem(refused, 422, "invalid-input")) == [pointer]
    problem(admin.get(f"{RULES}/one"), 404, "rule-not-found")


CHANGES: list[tuple[str, str, Any]] = [
    ("PUT", "", FIRST),
    ("PUT", "?dry_run=true", FIRST),
    ("PUT", "/one", FIRST["rules"][0]),
    ("DELETE", "/one?confirm=yes", None),
]


@pytest.mark.parametrize(("method", "target", "sent"), CHANGES)
def test_only_administrators_change_rules(
    registry: Registry,
    anonymous: Caller,
    reader: Caller,
    writer: Caller,
    method: str,
    target: str,
    sent: Any,
) -> None:
    registry.rules.put(OTHER)
    problem(anonymous.call(method, RULES + target, json=sent), 401, "key-rejected")
    for caller in (reader, writer):
        problem(caller.call(method, RULES + target, json=sent), 403, "scope-missing")
    assert registry.rules.read() == RuleFile(version=1, rules=[OTHER])


@pytest.mark.parametrize("path", ["", "/one", "/test"])
def test_looking_needs_the_scope_read(
    registry: Registry, reader: Caller, writer: Caller, path: str
) -> None:
    registry.rules.apply(rule_list(ONE))
    method = "POST" if path == "/test" else "GET"
    sent = {"container": "uploads", "path": "a/b.tif"} if path == "/test" else None
    problem(writer.call(method, RULES + path, json=sent), 403, "scope-missing")
    assert reader.call(method, RULES + path, json=sent).status_code == 200


def test_every_change_names_its_caller_and_request(
    admin: Caller, sql: psycopg.Connection[DictRow]
) -> None:
    done = [
        admin.call("PUT", RULES, json=FIRST),
        admin.call("PUT", f"{RULES}/one", json=body(priority=1)),
        admin.call("DELETE", f"{RULES}/one?confirm=yes"),
    ]
    rows = sql.execute(
        "SELECT operation, actor, request_id FROM registry.outbox"
        " WHERE operation LIKE 'rule%' ORDER BY position"
    ).fetchall()
    assert [(row["operation"], row["request_id"]) for row in rows] == [
        (name, answer.headers["x-request-id"])
        for name, answer in zip(["rule_created", "rule_changed", "rule_removed"], done, strict=True)
    ]
    assert {row["actor"].partition(":")[0] for row in rows} == {"key"}
