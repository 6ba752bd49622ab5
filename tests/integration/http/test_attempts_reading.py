"""Reads that the trail is to know of, and changes that wake who writes it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import DictRow

from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from shared.services.trail_kick import TrailKick
from tests.integration.failing import OwnQueue
from tests.integration.http.build_server import begin, keep
from tests.integration.http.caller import Caller, problem
from tests.integration.http.test_artifacts import BASE, body

Sql = psycopg.Connection[DictRow]
ADMIN = "/api/admin/artifacts"
STAC = {"stac_collection_id": "floods", "stac_item_id": "one"}


@pytest.fixture
def key(registry: Registry) -> str:
    return registry.keys.create("everything", list(Scope)).text


@pytest.fixture
def watched(registry: Registry, key: str) -> Caller:
    """Asks a registry that is set to tell of reads."""
    settings = registry.settings.model_copy(update={"audit_reads": True})
    watching = replace(registry, settings=settings)
    return Caller(build_app(lambda: watching), key)


def reads(sql: Sql) -> list[DictRow]:
    return sql.execute(
        "SELECT * FROM registry.outbox WHERE operation = 'artifact_read' ORDER BY position"
    ).fetchall()


def test_every_read_of_one_artifact_is_told_where_a_setting_asks_for_it(
    watched: Caller, registry: Registry, sql: Sql
) -> None:
    made = watched.call("POST", BASE, json=body(**STAC))
    artifact_id, tag = made.json()["artifact_id"], made.headers["etag"]
    stac = "&".join(f"{name}={value}" for name, value in STAC.items())
    answers = [
        watched.get(f"{BASE}/{artifact_id}"),
        watched.get(f"{BASE}/{artifact_id}", headers={"If-None-Match": tag}),
        watched.get(f"{ADMIN}/{artifact_id}"),
        watched.get(f"{ADMIN}/stac?{stac}"),
        watched.get(f"{ADMIN}/refs?client_type=ddh&dataset_id=flood"),
    ]
    assert [answer.status_code for answer in answers] == [200, 304, 200, 200, 200]
    events = reads(sql)
    assert [event["request_id"] for event in events] == [
        answer.headers["x-request-id"] for answer in answers
    ]
    (key,) = registry.keys.list_keys().keys
    for event in events:
        assert event["artifact_id"] == UUID(artifact_id)
        assert (event["actor"], event["action"]) == (f"key:{key.key_id}", "read")
        assert (event["success"], event["error"]) == (True, None)


def test_a_read_of_a_builds_artifact_names_its_build(watched: Caller, sql: Sql) -> None:
    build = begin(watched)
    made = keep(watched, build)
    assert watched.get(f"{build}/artifacts/{made['id']}").status_code == 200
    (event,) = reads(sql)
    assert str(event["run_id"]) == build.rpartition("/")[2]
    assert str(event["artifact_id"]) == made["id"]


def test_lists_and_what_is_not_found_are_no_reads(watched: Caller, sql: Sql) -> None:
    watched.call("POST", BASE, json=body())
    assert watched.get(BASE).status_code == 200
    problem(watched.get(f"{BASE}/{uuid4()}"), 404, "artifact-not-found")
    problem(watched.get(f"{BASE}/no-id"), 422, "invalid-input")
    assert reads(sql) == []


def test_where_no_setting_asks_for_it_reads_are_not_told(app: FastAPI, key: str, sql: Sql) -> None:
    caller = Caller(app, key)
    artifact_id = caller.call("POST", BASE, json=body()).json()["artifact_id"]
    assert caller.get(f"{BASE}/{artifact_id}").status_code == 200
    assert reads(sql) == []


class Background:
    """Holds back what is to be done in the background, so that a test says when."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def run(self) -> int:
        """Do it; answers with how much there was."""
        count = len(self.waiting)
        while self.waiting:
            self.waiting.pop()()
        return count


@pytest.fixture
def background() -> Background:
    return Background()


@pytest.fixture
def kicking(
    registry: Registry, key: str, own_queue: OwnQueue, background: Background
) -> Callable[..., Caller]:
    """Makes callers of registries that have kicked nobody yet."""

    def caller(text: str | None = key) -> Caller:
        audit = replace(registry.audit, kick=TrailKick(own_queue, run=background))
        kicking = replace(registry, audit=audit)
        return Caller(build_app(lambda: kicking), text)

    return caller


def kicked(caller: Caller, background: Background, *request: Any, **options: Any) -> int:
    caller.call(*request, **options)
    return background.run()


def test_a_change_wakes_who_writes_the_trail_and_nobody_waits_for_it(
    kicking: Callable[..., Caller], background: Background, own_queue: OwnQueue
) -> None:
    caller = kicking()
    assert caller.call("POST", BASE, json=body()).status_code == 201
    assert own_queue.waiting == 0
    assert background.run() == 1
    assert own_queue.waiting == 1
    assert caller.call("POST", BASE, json=body(client_refs={"n": 2})).status_code == 201
    assert background.run() == 0


def test_so_does_what_was_refused_and_no_question(
    kicking: Callable[..., Caller], background: Background
) -> None:
    unknown = f"{BASE}/{uuid4()}"
    assert kicked(kicking(), background, "PATCH", unknown, json={"is_final": True}) == 1
    assert kicked(kicking(None), background, "POST", BASE, json=body()) == 1
    assert kicked(kicking(), background, "GET", unknown) == 0
    assert kicked(kicking(), background, "GET", BASE) == 0
    assert kicked(kicking(), background, "POST", f"{BASE}/overwrite-decision", json={}) == 0
