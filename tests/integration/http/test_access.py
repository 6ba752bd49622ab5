"""Who gets in: keys, scopes, and answers that give nothing away."""

import logging
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from fastapi import APIRouter, FastAPI
from psycopg.rows import DictRow

from functions.http import admin
from functions.http.app import build_app
from functions.http.entry import Entrance
from functions.http.guarded_route import AdminRoute
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.services.artifact_service import ArtifactService
from tests.integration.http.caller import Caller, problem
from tests.integration.http.conftest import build_registry, now

HISTORY = "/api/admin/artifacts/history?client_type=x&a=b"
UNKNOWN = "ark_" + "A" * 43
HOSTILE = [
    "",
    " ",
    "ark_",
    UNKNOWN + "\n",
    UNKNOWN + "," + UNKNOWN,
    "x" * 100_000,
    "ключ",
    "\U0001f511",
    "a\x00b",
    "' OR 1=1 --",
    "ark_" + "é" * 43,
]


def admin_paths() -> list[str]:
    routes: list[Any] = list(admin.router.routes)
    return [route.path.replace("{job_id:path}", "j") for route in routes]


@pytest.mark.parametrize("path", admin_paths())
def test_no_admin_route_answers_without_a_key(anonymous: Caller, path: str) -> None:
    found = anonymous.get(path)
    problem(found, 401, "key-rejected")
    assert found.headers["www-authenticate"] == "ApiKey, Bearer"


def test_every_rejected_key_gets_the_same_answer(
    anonymous: Caller, registry: Registry, sql: psycopg.Connection[DictRow]
) -> None:
    revoked = registry.keys.create("revoked", [Scope.READ])
    expired = registry.keys.create("expired", [Scope.READ], now() + timedelta(days=1))
    sql.execute("UPDATE registry.api_keys SET revoked_at = now() WHERE name = 'revoked'")
    sql.execute("UPDATE registry.api_keys SET expires_at = now() WHERE name = 'expired'")
    keys = [None, revoked.text, expired.text, UNKNOWN, "malformed"]
    answers = [
        anonymous.get(HISTORY, headers={"X-API-Key": key} if key is not None else {})
        for key in keys
    ]
    told = [problem(answer, 401, "key-rejected") for answer in answers]
    assert all(answer | {"instance": ""} == told[0] | {"instance": ""} for answer in told)
    named = [set(answer.headers) for answer in answers]
    assert all(headers == named[0] for headers in named)


def test_a_hostile_key_is_401(anonymous: Caller) -> None:
    for key in HOSTILE:
        written: Any = key.encode()  # as the host's adapter sends it; httpx would refuse text
        problem(anonymous.get(HISTORY, headers={"X-API-Key": written}), 401, "key-rejected")


@pytest.mark.parametrize("scopes", [[], [Scope.WRITE], [Scope.ADMIN], [Scope.WRITE, Scope.ADMIN]])
def test_reading_needs_the_read_scope_itself(
    app: FastAPI, registry: Registry, scopes: list[Scope]
) -> None:
    key = registry.keys.create("k", scopes).text
    told = problem(Caller(app, key).get(HISTORY), 403, "scope-missing")
    assert "read" in told["detail"]


def test_a_read_key_reads(reader: Caller) -> None:
    assert reader.get(HISTORY).status_code == 200


def test_changing_needs_the_admin_scope(registry: Registry) -> None:
    app = build_app(lambda: registry)
    change = APIRouter(route_class=AdminRoute)

    def delete(entry: Entrance) -> None:
        assert entry.caller

    change.add_api_route("/api/admin/change", delete, methods=["DELETE"])
    app.include_router(change)
    keys = {scope: registry.keys.create(scope, [scope]).text for scope in Scope}
    answers = {
        scope: Caller(app, key).call("DELETE", "/api/admin/change").status_code
        for scope, key in keys.items()
    }
    assert answers == {Scope.READ: 403, Scope.WRITE: 403, Scope.ADMIN: 200}


def test_a_key_is_asked_for_before_the_request_is_looked_at(anonymous: Caller) -> None:
    problem(anonymous.get("/api/admin/artifacts/history?limit=0"), 401, "key-rejected")


def test_no_key_reaches_a_log(
    app: FastAPI,
    read_key: str,
    caplog: pytest.LogCaptureFixture,
    broken_database: Database,
    artifacts: ArtifactService,
) -> None:
    caplog.set_level(logging.DEBUG)
    Caller(app, read_key).get(HISTORY)
    Caller(app, UNKNOWN).get(HISTORY)
    broken = build_registry(broken_database, artifacts)
    problem(Caller(build_app(lambda: broken), UNKNOWN).get(HISTORY), 503, "database-unavailable")
    assert "database-unavailable" not in caplog.text
    assert "request unanswered" in caplog.text
    assert read_key not in caplog.text
    assert UNKNOWN not in caplog.text
