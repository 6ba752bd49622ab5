"""Failures over HTTP: looked at, replayed and discarded."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.errors import BlobNotFound, MalformedMessage
from shared.models.api_keys import Scope
from shared.models.set_aside import Message, replay_request
from shared.services.artifact_service import ArtifactService
from shared.services.set_aside import SetAsideService
from shared.storage.queues import StorageQueue
from tests.integration.failing import OwnQueue, audited
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.conftest import build_registry

FAILURES = "/api/admin/ingest/failures"
GONE = "a queue that was removed"
JSON = {"Content-Type": "application/json"}
UNKNOWN = f"{FAILURES}/{UUID(int=7)}"


@pytest.fixture
def registry(
    database: Database, artifacts: ArtifactService, azurite: Azurite, own_queue: OwnQueue
) -> Registry:
    gone = StorageQueue(azurite.connection_string, f"{own_queue.client.queue_name}-gone")
    queues = {own_queue.client.queue_name: own_queue, GONE: gone}
    return build_registry(database, artifacts, queues=queues)


@pytest.fixture
def admin(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("operator", list(Scope)).text)


@pytest.fixture
def kept(set_aside: SetAsideService, own_queue: OwnQueue, reader: Caller) -> list[str]:
    """Ids of two messages that were set aside, newest first; the older one has another reason."""
    source = own_queue.client.queue_name
    set_aside.set_aside(Message(source, b"not JSON"), MalformedMessage("No."))
    set_aside.set_aside(Message(source, b"\xff"), BlobNotFound("Gone."))
    return [each["set_aside_id"] for each in listed(reader)]


def listed(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    answer = caller.get(f"{FAILURES}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"failures", "next"}
    return answer.json()["failures"]


def asked_for(own_queue: OwnQueue) -> list[str]:
    return [message.body.decode() for message in own_queue.receive(32, 60)]


def test_failures_are_listed_newest_first_without_their_bodies(
    reader: Caller, kept: list[str], own_queue: OwnQueue
) -> None:
    newest, oldest = listed(reader)
    assert [newest["set_aside_id"], oldest["set_aside_id"]] == kept
    assert newest["set_aside_at"] > oldest["set_aside_at"]
    assert "body" not in newest
    assert newest | {"set_aside_id": "", "set_aside_at": ""} == {
        "set_aside_id": "",
        "source": own_queue.client.queue_name,
        "reason": "blob_not_found",
        "explanation": "Gone.",
        "state": "open",
        "set_aside_at": "",
        "replays": 0,
        "last_tried_at": None,
        "ended_at": None,
        "ended_by": None,
    }


def test_a_list_is_narrowed_and_paged(reader: Caller, kept: list[str], own_queue: OwnQueue) -> None:
    assert [each["set_aside_id"] for each in listed(reader, "reason=malformed_message")] == kept[1:]
    assert len(listed(reader, f"source={own_queue.client.queue_name}")) == 2
    for nothing in ("source=none", "reason=none", "state=replaying", "state=discarded"):
        assert listed(reader, nothing) == []
    first = reader.get(f"{FAILURES}?limit=1").json()
    second = reader.get(f"{FAILURES}?limit=1&cursor={first['next']}").json()
    found = [*first["failures"], *second["failures"]]
    assert [each["set_aside_id"] for each in found] == kept
    assert second["next"] is None


def test_a_body_is_shown_to_administrators(admin: Caller, kept: list[str]) -> None:
    newest, oldest = [admin.get(f"{FAILURES}/{each}").json() for each in kept]
    assert (newest["body"], newest["body_encoding"]) == ("/w==", "base64")
    assert (oldest["body"], oldest["body_encoding"]) == ("not JSON", "text")


def test_one_message_is_replayed(admin: Caller, kept: list[str], own_queue: OwnQueue) -> None:
    for _ in range(2):
        answer = admin.call("POST", f"{FAILURES}/{kept[0]}/replay")
        assert (answer.status_code, answer.json()["state"]) == (202, "replaying")
        assert "body" not in answer.json()
    assert asked_for(own_queue) == [replay_request(UUID(kept[0]))] * 2
    assert [each["set_aside_id"] for each in listed(admin)] == kept[1:]
    assert [each["set_aside_id"] for each in listed(admin, "state=replaying")] == kept[:1]


def test_all_that_are_meant_are_replayed_page_by_page(
    admin: Caller, kept: list[str], own_queue: OwnQueue
) -> None:
    def replay(**asked: Any) -> Any:
        answer = admin.call("POST", f"{FAILURES}/replay", json=asked)
        assert answer.status_code == 202, answer.text
        return answer.json()

    assert replay(reason="none") == {"count": 0, "skipped": 0, "next": None}
    first = replay(limit=1)
    assert (first["count"], first["skipped"]) == (1, 0)
    assert replay(limit=1, cursor=first["next"]) == {"count": 1, "skipped": 0, "next": None}
    assert asked_for(own_queue) == [replay_request(UUID(each)) for each in kept]
    assert replay() == {"count": 0, "skipped": 0, "next": None}
    assert replay(state="replaying", reason="blob_not_found")["count"] == 1


def test_a_message_is_discarded_and_stays_on_record(
    admin: Caller, kept: list[str], sql: psycopg.Connection[DictRow]
) -> None:
    path = f"{FAILURES}/{kept[0]}"
    assert pointers(problem(admin.call("DELETE", path), 422, "invalid-input")) == ["/confirm"]
    first = admin.call("DELETE", f"{path}?confirm=yes")
    again = admin.call("DELETE", f"{path}?confirm=yes")
    assert (first.status_code, first.json()) == (200, again.json())
    assert first.json()["state"] == "discarded"
    assert first.json()["ended_by"].startswith("key:")
    assert admin.get(path).json()["body"] == "/w=="
    problem(admin.call("POST", f"{path}/replay"), 409, "failure-ended")
    assert audited(sql) == ["message_discarded"]


def test_what_nothing_takes_any_more_is_not_replayed(
    admin: Caller, set_aside: SetAsideService
) -> None:
    set_aside.set_aside(Message("of old", b"x"), MalformedMessage())
    (failure,) = listed(admin)
    answer = admin.call("POST", f"{FAILURES}/{failure['set_aside_id']}/replay")
    problem(answer, 409, "not-replayable")
    answer = admin.call("POST", f"{FAILURES}/replay", json={})
    assert answer.json() == {"count": 0, "skipped": 1, "next": None}


@pytest.mark.parametrize(
    ("method", "action"), [("GET", ""), ("POST", "/replay"), ("DELETE", "?confirm=yes")]
)
def test_an_unknown_failure_is_404(admin: Caller, method: str, action: str) -> None:
    problem(admin.call(method, UNKNOWN + action), 404, "failure-not-found")
    refused = admin.call(method, f"{FAILURES}/no-id{action}")
    assert pointers(problem(refused, 422, "invalid-input")) == ["/set_aside_id"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("state=x", "/state"),
        ("cursor=x", "/cursor"),
        ("source=", "/source"),
        (f"reason={'x' * 101}", "/reason"),
    ],
)
def test_what_cannot_be_asked_is_refused(admin: Caller, query: str, pointer: str) -> None:
    assert pointers(problem(admin.get(f"{FAILURES}?{query}"), 422, "invalid-input")) == [pointer]
    name, _, text = query.partition("=")
    value = int(text) if name == "limit" else text
    refused = admin.call("POST", f"{FAILURES}/replay", json={name: value})
    assert pointers(problem(refused, 422, "invalid-input")) == [pointer]


@pytest.mark.parametrize("body", [{"reson": "x"}, {"state": "discarded"}, {"limit": None}, []])
def test_a_slip_replays_nothing(
    admin: Caller, kept: list[str], own_queue: OwnQueue, body: Any
) -> None:
    refused = admin.call("POST", f"{FAILURES}/replay", content=json.dumps(body), headers=JSON)
    problem(refused, 422, "invalid-input")
    assert own_queue.waiting == 0
    assert len(listed(admin)) == len(kept)


def test_only_administrators_see_bodies_and_change_anything(
    app: FastAPI, registry: Registry, anonymous: Caller, kept: list[str], own_queue: OwnQueue
) -> None:
    one = f"{FAILURES}/{kept[0]}"
    closed = [
        ("GET", one),
        ("POST", f"{one}/replay"),
        ("POST", f"{FAILURES}/replay"),
        ("DELETE", f"{one}?confirm=yes"),
    ]
    reader_and_writer = Caller(app, registry.keys.create("k", [Scope.READ, Scope.WRITE]).text)
    for method, path in closed:
        problem(anonymous.call(method, path, json={}), 401, "key-rejected")
        problem(reader_and_writer.call(method, path, json={}), 403, "scope-missing")
    problem(anonymous.get(FAILURES), 401, "key-rejected")
    assert own_queue.waiting == 0
    assert len(listed(reader_and_writer)) == 2


def test_every_change_names_its_caller_and_request(
    admin: Caller, registry: Registry, kept: list[str], sql: psycopg.Connection[DictRow]
) -> None:
    answers = [
        admin.call("POST", f"{FAILURES}/{kept[0]}/replay"),
        admin.call("DELETE", f"{FAILURES}/{kept[0]}?confirm=yes"),
    ]
    rows = sql.execute(
        "SELECT operation, actor, request_id, details FROM registry.outbox"
        " WHERE operation LIKE 'message%' AND success ORDER BY position"
    ).fetchall()
    assert [row["operation"] for row in rows] == ["message_replay_asked", "message_discarded"]
    assert [row["request_id"] for row in rows] == [
        answer.headers["x-request-id"] for answer in answers
    ]
    operators = {f"key:{key.key_id}" for key in registry.keys.list_keys().keys}
    assert {row["actor"] for row in rows} <= operators
    assert {row["details"]["set_aside_id"] for row in rows} == {kept[0]}


def test_where_nothing_can_be_sent_the_failure_stays_open(
    admin: Caller, set_aside: SetAsideService, sql: psycopg.Connection[DictRow]
) -> None:
    set_aside.set_aside(Message(GONE, b"x"), MalformedMessage())
    (failure,) = listed(admin)
    for path in (f"{FAILURES}/{failure['set_aside_id']}/replay", f"{FAILURES}/replay"):
        problem(admin.call("POST", path, json={}), 503, "storage-unavailable")
    assert listed(admin) == [failure]
    assert audited(sql) == []
