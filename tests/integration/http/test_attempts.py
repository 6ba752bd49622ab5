"""What was refused or failed over HTTP is in the audit trail, whoever asked."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import NoReturn
from uuid import UUID, uuid4

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import DictRow

from functions.http.app import build_app
from functions.http.attempted import CHANGING, READING
from functions.http.attempts import ANONYMOUS_A_MINUTE
from functions.http.guarded_route import GuardedRoute, QuestionRoute
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.services.attempts import Attempts
from tests.integration.http.caller import Caller, problem
from tests.integration.http.conftest import now
from tests.integration.http.test_artifacts import BASE, body
from tests.integration.http.test_visits import Gate

Sql = psycopg.Connection[DictRow]
DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
IDS = {"artifact_id": str(uuid4()), "build_id": str(uuid4()), "name": "a name"}
ADMIN = "/api/admin/artifacts"


def attempts(sql: Sql) -> list[DictRow]:
    return sql.execute(
        "SELECT * FROM registry.outbox WHERE NOT success ORDER BY position"
    ).fetchall()


def changing(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """The id, the method and a path of every operation that changes anything."""
    for route in app.routes:
        if not isinstance(route, GuardedRoute) or isinstance(route, QuestionRoute):
            continue
        for method in sorted((route.methods or set()) - {"GET", "HEAD"}):
            given = {name: IDS.get(name, str(UUID(int=7))) for name in route.param_convertors}
            yield str(route.operation_id), method, str(route.url_path_for(route.name, **given))


def test_every_operation_of_the_documentation_that_changes_anything_has_words_for_it(
    app: FastAPI,
) -> None:
    paths = json.loads(DOCUMENT.read_text())["paths"].values()
    told = {
        operation["operationId"]: method
        for path in paths
        for method, operation in path.items()
        if operation.get("security")
    }
    questions = {route.operation_id for route in app.routes if isinstance(route, QuestionRoute)}
    changes = {name for name, method in told.items() if method != "get"} - questions
    assert changes == set(CHANGING)
    assert {told.get(name) for name in READING} == {"get"}


def test_whoever_may_not_change_anything_is_named_with_what_was_tried(
    app: FastAPI, registry: Registry, sql: Sql
) -> None:
    key = registry.keys.create("nothing", [])
    sql.execute("DELETE FROM registry.outbox")
    tried = list(changing(app))
    answers = [Caller(app, key.text).call(method, path, json={}) for _, method, path in tried]
    assert {answer.status_code for answer in answers} == {403}
    events = attempts(sql)
    assert [(event["operation"], event["action"]) for event in events] == [
        CHANGING[name] for name, *_ in tried
    ]
    assert {event["actor"] for event in events} == {f"key:{key.key_id}"}
    assert [event["request_id"] for event in events] == [
        answer.headers["x-request-id"] for answer in answers
    ]
    assert all(event["error"].startswith("scope-missing: ") for event in events)
    for (_, _, path), event in zip(tried, events, strict=True):
        assert (event["artifact_id"] == UUID(IDS["artifact_id"])) == (IDS["artifact_id"] in path)
        assert (event["run_id"] == UUID(IDS["build_id"])) == (IDS["build_id"] in path)


def test_what_nobody_may_is_told_of_nobody(app: FastAPI, anonymous: Caller, sql: Sql) -> None:
    for _, method, path in changing(app):
        problem(anonymous.call(method, path, json={}), 401, "key-rejected")
    events = attempts(sql)
    assert [(event["operation"], event["action"]) for event in events] == [
        CHANGING[name] for name, *_ in changing(app)
    ]
    assert {event["actor"] for event in events} == {"anonymous"}


def test_a_flood_of_nobody_does_not_fill_the_trail(anonymous: Caller, sql: Sql) -> None:
    for _ in range(ANONYMOUS_A_MINUTE + 5):
        problem(anonymous.call("POST", BASE, json=body()), 401, "key-rejected")
    assert len(attempts(sql)) == ANONYMOUS_A_MINUTE


def test_a_refused_overwriting_is_in_the_history_of_what_stands(writer: Caller, sql: Sql) -> None:
    standing = writer.call("POST", BASE, json=body()).json()["artifact_id"]
    refused = writer.call("POST", BASE, json=body(content_hash="b" * 64))
    told = problem(refused, 409, "artifact-conflict")
    (event,) = attempts(sql)
    (made,) = sql.execute("SELECT asset_id, artifact_id FROM registry.artifacts").fetchall()
    assert (event["asset_id"], event["artifact_id"]) == (made["asset_id"], UUID(standing))
    assert event["error"] == f"artifact-conflict: {told['detail']}"
    assert event["details"] == {"current_artifact_id": standing}
    assert event["request_id"] == refused.headers["x-request-id"]


def test_what_is_not_valid_is_told_with_its_place(operator: Caller, sql: Sql) -> None:
    artifact_id = uuid4()
    wrong = operator.call("POST", f"{ADMIN}/{artifact_id}/archive", json={"target_tier": "Hot"})
    problem(wrong, 422, "invalid-input")
    problem(operator.call("DELETE", f"{ADMIN}/no-id?confirm=yes"), 422, "invalid-input")
    problem(operator.call("DELETE", f"{ADMIN}/{artifact_id}?twice=1"), 422, "invalid-input")
    archiving, no_id, unknown = attempts(sql)
    assert (archiving["artifact_id"], unknown["artifact_id"]) == (artifact_id, artifact_id)
    assert (no_id["artifact_id"], no_id["details"]["artifact_id"]) == (None, "no-id")
    assert archiving["details"]["errors"][0]["pointer"] == "/target_tier"
    assert (archiving["action"], no_id["action"]) == ("archive", "delete")


def test_what_cannot_be_stored_as_it_came_is_told_all_the_same(operator: Caller, sql: Sql) -> None:
    hostile = "/api/admin/rules/a%00b%3Fsig%3DSECRET%20" + "x" * 5000
    assert operator.call("DELETE", f"{hostile}?confirm=yes").status_code in {404, 422}
    (event,) = attempts(sql)
    assert event["operation"] == "rule_removed"
    assert len(event["details"]["name"]) == 500
    assert "SECRET" not in json.dumps(event, default=str)


def test_a_fault_that_nobody_foresaw_is_told_without_its_text(
    operator: Caller, registry: Registry, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise ValueError("password=hunter2")

    monkeypatch.setattr(registry.artifacts, "mark_deleted", fail)
    deleting = operator.call("DELETE", f"{ADMIN}/{uuid4()}?confirm=yes")
    problem(deleting, 500, "internal-error")
    (event,) = attempts(sql)
    assert (event["operation"], event["action"]) == ("status_update", "delete")
    assert event["error"].startswith("internal-error: ")
    assert "hunter2" not in json.dumps(event, default=str)


def test_of_a_batch_what_failed_is_told_once(writer: Caller, sql: Sql) -> None:
    writer.call("POST", BASE, json=body())
    batch = [body(client_refs={"n": "new"}), body(content_hash="b" * 64), {"client_type": "ddh"}]
    told = writer.call("POST", f"{BASE}/batch", json={"artifacts": batch}).json()
    assert (told["created"], told["failed"]) == (1, 2)
    (event,) = attempts(sql)
    assert event["error"] == "items-refused: 2 of 3 artifacts were not registered."
    assert event["details"] == {"places": {"artifact-conflict": [1], "invalid-input": [2]}}
    writer.call("POST", f"{BASE}/batch", json={"artifacts": batch[:1]})
    assert len(attempts(sql)) == 1


def test_those_who_come_together_are_told_of_each_for_itself(
    app: FastAPI, registry: Registry, read_key: str, sql: Sql
) -> None:
    asked = [("POST", BASE, key, body(client_refs={"n": 1})) for key in (read_key, None, read_key)]
    answers = asyncio.run(Gate(app).send(asked))
    assert [answer.status_code for answer in answers] == [403, 401, 403]
    by_request = {event["request_id"]: event["actor"] for event in attempts(sql)}
    (key,) = registry.keys.list_keys().keys
    assert [by_request[answer.headers["x-request-id"]] for answer in answers] == [
        f"key:{key.key_id}",
        "anonymous",
        f"key:{key.key_id}",
    ]


def test_what_asks_or_succeeds_is_no_attempt(
    writer: Caller, reader: Caller, anonymous: Caller, sql: Sql
) -> None:
    assert writer.call("POST", BASE, json=body()).status_code == 201
    problem(anonymous.get(f"{BASE}/{uuid4()}"), 401, "key-rejected")
    problem(reader.get(f"{BASE}/{uuid4()}"), 404, "artifact-not-found")
    problem(reader.call("POST", f"{BASE}/overwrite-decision", json={}), 422, "invalid-input")
    problem(writer.call("PUT", BASE, json=body()), 405, "method-not-allowed")
    assert attempts(sql) == []


def test_a_trail_that_cannot_be_told_changes_no_answer(
    registry: Registry, broken_database: Database, caplog: pytest.LogCaptureFixture, sql: Sql
) -> None:
    deaf = replace(registry, audit=replace(registry.audit, attempts=Attempts(broken_database, now)))
    caller = Caller(build_app(lambda: deaf))
    with caplog.at_level(logging.WARNING):
        problem(caller.call("POST", BASE, json=body()), 401, "key-rejected")
    assert "attempt not recorded: operation=artifact_creation" in caplog.text
    assert attempts(sql) == []


def test_nobody_waits_for_a_trail_that_does_not_answer(
    anonymous: Caller,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answered = Event()
    monkeypatch.setattr(registry.audit.attempts, "record", lambda _: answered.wait(60))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr("functions.http.attempts._PATIENCE_SECONDS", 0.1)
    with caplog.at_level(logging.WARNING):
        problem(anonymous.call("POST", BASE, json=body()), 401, "key-rejected")
    assert not answered.is_set()
    answered.set()
    assert "attempt not recorded: request_id=" in caplog.text
