"""Callers who come together: one visit answers them all, and each gets what is their own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from threading import Event
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.errors import KeyRejected
from shared.models.api_keys import Scope
from shared.services.access import AccessService
from tests.integration.http.caller import Caller, problem
from tests.integration.http.test_artifacts import BASE, body

Request = tuple[str, str, str | None, Any]
"""Method, path, key, body."""


class Gate:
    """Keeps visits waiting at the registry's door until all the requests have come."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._registry = app.state.registry
        self._may_pass = Event()
        app.state.registry = self._wait

    def _wait(self) -> Registry:
        assert self._may_pass.wait(30)
        return self._registry()

    async def send(self, requests: Sequence[Request]) -> list[httpx.Response]:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            sent = [
                asyncio.create_task(
                    client.request(
                        method, path, json=sent, headers={"X-API-Key": key} if key else {}
                    )
                )
                for method, path, key, sent in requests
            ]
            for _ in range(200):  # steps in which all come to the door; one that is late goes alone
                await asyncio.sleep(0)
            self._may_pass.set()
            return await asyncio.gather(*sent)


@pytest.fixture
def keys(registry: Registry) -> dict[str, str]:
    made = {scope.value: registry.keys.create(scope, [scope]).text for scope in Scope}
    return made | {"both": registry.keys.create("both", [Scope.READ, Scope.WRITE]).text}


def test_each_caller_is_let_in_or_refused_alone(
    app: FastAPI, writer: Caller, keys: dict[str, str]
) -> None:
    made = [
        writer.call("POST", BASE, json=body(client_refs={"n": n})).json()["artifact_id"]
        for n in range(4)
    ]
    asked: list[tuple[str, str | None, int]] = [
        (made[0], keys["read"], 200),
        (made[1], keys["write"], 403),
        (made[1], keys["both"], 200),
        (str(uuid4()), keys["read"], 404),
        (made[2], None, 401),
        (made[2], "ark_" + "A" * 43, 401),
        (made[2], keys["read"], 200),
        (made[0], keys["read"], 200),
        (made[3], keys["admin"], 403),
    ]
    answers = asyncio.run(
        Gate(app).send([("GET", f"{BASE}/{each}", key, None) for each, key, _ in asked])
    )
    assert [answer.status_code for answer in answers] == [status for *_, status in asked]
    for (artifact_id, *_), answer in zip(asked, answers, strict=True):
        if answer.status_code == 200:
            assert answer.json()["artifact_id"] == artifact_id


def test_those_who_present_one_key_see_what_it_allows_and_nothing_once_it_ended(
    app: FastAPI, writer: Caller, registry: Registry, keys: dict[str, str]
) -> None:
    made = [
        writer.call("POST", BASE, json=body(client_refs={"n": n})).json()["artifact_id"]
        for n in range(2)
    ]
    ended = registry.keys.create("ended", [Scope.READ])
    registry.keys.revoke(ended.key_id)
    paths = [f"{BASE}/{each}" for each in (*made, str(uuid4()), made[0])]
    expected = {keys["read"]: [200, 200, 404, 200], keys["write"]: [403] * 4}
    expected |= {ended.text: [401] * 4, "ark_" + "A" * 43: [401] * 4}
    for key, statuses in expected.items():
        answers = asyncio.run(Gate(app).send([("GET", path, key, None) for path in paths]))
        assert [answer.status_code for answer in answers] == statuses
        for path, answer in zip(paths, answers, strict=True):
            seen = answer.json().get("artifact_id")
            assert seen == (path.rpartition("/")[2] if answer.status_code == 200 else None)


def test_registrations_that_come_together_end_each_for_itself(
    app: FastAPI, reader: Caller, writer: Caller, keys: dict[str, str], sql: Any
) -> None:
    standing = writer.call("POST", BASE, json=body(client_refs={"n": "stands"})).json()
    asked: list[tuple[str, str | None, dict[str, Any], int]] = [
        ("a", keys["write"], {}, 201),
        ("stands", keys["write"], {"content_hash": "b" * 64}, 409),
        ("b", keys["read"], {}, 403),
        ("c", keys["both"], {}, 201),
        ("stands", keys["write"], {}, 200),
        ("d", None, {}, 401),
        ("a", keys["write"], {"content_hash": "b" * 64, "overwrite": True}, 201),
    ]
    answers = asyncio.run(
        Gate(app).send(
            [
                ("POST", BASE, key, body(client_refs={"n": name}, **fields))
                for name, key, fields, _ in asked
            ]
        )
    )
    assert [answer.status_code for answer in answers] == [status for *_, status in asked]
    told = problem(answers[1], 409, "artifact-conflict")
    assert told["current_artifact_id"] == standing["artifact_id"]
    assert answers[4].json() == standing
    assert answers[6].json()["supersedes"] == answers[0].json()["artifact_id"]
    query = "SELECT actor FROM registry.outbox WHERE artifact_id = %s ORDER BY position LIMIT 1"
    first, other, newer = (
        sql.execute(query, [answers[place].json()["artifact_id"]]).fetchone()["actor"]
        for place in (0, 3, 6)
    )
    assert first == newer != other


class SlowIssuer:
    """Lets whoever asks about a token wait."""

    def __init__(self) -> None:
        self.may_answer = Event()

    def authenticate(self, token: str) -> Any:
        del token
        assert self.may_answer.wait(30)
        raise KeyRejected


def test_callers_with_a_key_do_not_wait_for_the_issuer_of_tokens(
    registry: Registry, keys: dict[str, str]
) -> None:
    issuer = SlowIssuer()
    tokens: Any = issuer
    slow = replace(registry, access=AccessService(registry.keys, tokens))
    transport = httpx.ASGITransport(build_app(lambda: slow))
    path = f"{BASE}/{uuid4()}"

    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            bearer = {"Authorization": "Bearer a.b.c"}
            waiting = [asyncio.create_task(client.get(path, headers=bearer)) for _ in range(4)]
            for _ in range(200):
                await asyncio.sleep(0)
            quick = await client.get(path, headers={"X-API-Key": keys["read"]})
            issuer.may_answer.set()
            slow_answers = await asyncio.gather(*waiting)
            return [quick.status_code, *(each.status_code for each in slow_answers)]

    assert asyncio.run(ask()) == [404, 401, 401, 401, 401]
