"""Who gets in: keys, scopes, and answers that give nothing away."""

import asyncio
import json
import logging
import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute
from psycopg.rows import DictRow

from functions.http.app import build_app
from functions.http.entry import Entrance
from functions.http.guarded_route import AdminRoute
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.services.access import AccessService
from shared.services.artifact_service import ArtifactService
from shared.services.signing_keys import SigningKeys
from shared.services.tokens import TokenService
from shared.storage.issuer import Issuer
from tests.integration.http.caller import Caller, problem
from tests.integration.http.conftest import build_registry, now
from tests.integration.token_issuer import (
    AUDIENCE,
    ISSUER,
    OBJECT_ID,
    TokenIssuer,
    running_issuer,
    token,
)

HISTORY = "/api/admin/artifacts/history?client_type=x&a=b"
UNKNOWN = "ark_" + "A" * 43
OPEN = ("/api/health", "/api/openapi", "/api/docs")
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


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def believing(registry: Registry, issuer: TokenIssuer) -> FastAPI:
    """The application of a registry that takes tokens as well."""
    signing_keys = SigningKeys(Issuer(issuer.keys_url).read_keys)
    access = AccessService(registry.keys, TokenService(ISSUER, AUDIENCE, signing_keys))
    return build_app(lambda: replace(registry, access=access))


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def operations(app: FastAPI) -> list[tuple[str, str]]:
    """Every operation that is not open to anyone."""
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    closed = [route for route in routes if not route.path.startswith(OPEN)]
    return [(method, route.path) for route in closed for method in route.methods or ()]


async def get_with(app: FastAPI, headers: Any) -> httpx.Response:
    """As `Caller` does, but a header may be sent twice."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        return await client.get(HISTORY, headers=headers)


def test_nothing_else_answers_without_a_credential(app: FastAPI, anonymous: Caller) -> None:
    closed = operations(app)
    assert len(closed) > 10
    for method, path in closed:
        found = anonymous.call(method, re.sub(r"\{.*?\}", str(UUID(int=7)), path))
        told = problem(found, 401, "key-rejected")
        assert "errors" not in told
        assert found.headers["www-authenticate"] == "ApiKey, Bearer"


def test_every_rejected_credential_gets_the_same_answer(
    believing: FastAPI, registry: Registry, app: FastAPI
) -> None:
    good = registry.keys.create("good", [Scope.READ]).text
    revoked = registry.keys.create("revoked", [Scope.READ])
    registry.keys.revoke(revoked.key_id)
    expired = registry.keys.create("expired", [Scope.READ])
    registry.keys.rotate(expired.key_id, timedelta(0))
    past = int(now().timestamp()) - 3600
    credentials: list[Any] = [
        {},
        *({"X-API-Key": key} for key in ("", "malformed", UNKNOWN, f"{good} ", f"{good},{good}")),
        {"X-API-Key": revoked.text},
        {"X-API-Key": expired.text},
        [("X-API-Key", good), ("X-API-Key", good)],
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": token()},
        {"Authorization": f"Basic {token()}"},
        {"Authorization": f"ApiKey {good}"},
        {"Authorization": good},
        [("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token()}")],
        bearer(good),
        bearer("a.b.c"),
        bearer(token("unknown")),
        bearer(token(exp=past)),
        bearer(token(aud="another")),
        bearer(token()) | {"X-API-Key": good},
        bearer("a.b.c") | {"X-API-Key": good},
        bearer(token()) | {"X-API-Key": ""},
        {"Authorization": "Basic eDp5", "X-API-Key": good},
    ]
    answers = [asyncio.run(get_with(believing, given)) for given in credentials]
    answers.append(Caller(app).get(HISTORY, headers=bearer(token())))
    told = [problem(answer, 401, "key-rejected") for answer in answers]
    assert all(answer | {"instance": ""} == told[0] | {"instance": ""} for answer in told)
    sent = [{name: answer.headers[name] for name in answer.headers} for answer in answers]
    assert all(headers | {"x-request-id": ""} == sent[0] | {"x-request-id": ""} for headers in sent)
    assert Caller(believing, good).get(HISTORY).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_opens_what_its_roles_allow(believing: FastAPI, scheme: str) -> None:
    def status(path: str, *roles: str) -> int:
        headers = {"Authorization": f"{scheme} {token(roles=list(roles))}"}
        return Caller(believing).get(path, headers=headers).status_code

    keys = "/api/admin/keys"
    assert (status(HISTORY, "Registry.Read"), status(keys, "Registry.Read")) == (200, 403)
    assert (status(HISTORY, "Registry.Admin"), status(keys, "Registry.Admin")) == (403, 200)
    assert (status(HISTORY), status(keys)) == (403, 403)


def test_a_token_leaves_its_object_id_in_the_trail_and_nothing_else(
    believing: FastAPI, sql: psycopg.Connection[DictRow], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = token(roles=["Registry.Admin"])
    body = {"name": "ci", "scopes": ["admin"]}
    made = Caller(believing).call("POST", "/api/admin/keys", headers=bearer(text), json=body)
    assert made.status_code == 201
    rows = sql.execute("SELECT to_jsonb(o) AS event FROM registry.outbox AS o").fetchall()
    assert [row["event"]["actor"] for row in rows] == [f"token:{OBJECT_ID}"]
    for secret in (*text.split("."), "somebody@example.com", "Some Body"):
        assert secret not in str(rows)
        assert secret not in caplog.text


def test_without_the_issuer_tokens_are_503_and_keys_go_on(
    believing: FastAPI,
    read_key: str,
    issuer: TokenIssuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    issuer.status = 500
    text = token()
    found = Caller(believing).get(HISTORY, headers=bearer(text))
    problem(found, 503, "issuer-unavailable")
    assert int(found.headers["retry-after"]) > 0
    assert Caller(believing, read_key).get(HISTORY).status_code == 200
    assert "request unanswered" in caplog.text
    assert not [part for part in text.split(".") if part in caplog.text]


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
    change = APIRouter(route_class=AdminRoute, tags=["change"])

    def delete(entry: Entrance) -> Response:
        return Response(entry.caller.actor)

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


def test_a_large_body_is_not_even_read_for_whom_may_not_send_it(
    anonymous: Caller, reader: Caller
) -> None:
    body = json.dumps({f"{number:x}": 1 for number in range(80_000)})
    headers = {"Content-Type": "application/json"}
    for caller, status in ((anonymous, 401), (reader, 403)):
        tracemalloc.start()
        try:
            answer = caller.call("POST", "/api/v1/artifacts", headers, content=body)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert answer.status_code == status
        assert peak < 8 * len(body)  # what is wrong with each member would take fifty times that


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
