"""What was set aside: kept once, opened again, listed, discarded."""

import itertools
import json
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import (
    BlobNotFound,
    DatabaseUnavailable,
    FailureEnded,
    FailureNotFound,
    InvalidInput,
    MalformedMessage,
    RegistryError,
)
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.models.set_aside import FailureFilter, FailureState, Message, replay_request
from shared.services.failures import FailureService
from shared.services.ingestion import IngestionService
from shared.services.set_aside import SetAsideService
from tests.integration.clock import TickingClock
from tests.integration.failing import audited, rows
from tests.integration.messages import ORIGIN, QUEUE

OPERATOR = Origin("key:operator", "request")
OPEN = FailureFilter()


@pytest.fixture
def failures(database: Database, clock: TickingClock) -> FailureService:
    return FailureService(database, clock, {})


def keep(set_aside: SetAsideService, text: str, **told: Any) -> None:
    fault: RegistryError = told.pop("fault", MalformedMessage("No."))
    set_aside.set_aside(Message(told.pop("source", QUEUE), text.encode(), **told), fault)


def never(*_: object) -> None:
    raise AssertionError("the message was taken")


def nothing(*_: object) -> None:
    """Take a message for good."""


def test_the_same_message_again_opens_the_same_row_with_its_new_reason(
    set_aside: SetAsideService, failures: FailureService, sql: psycopg.Connection[DictRow]
) -> None:
    keep(set_aside, "x")
    (first,) = rows(sql)
    failures.discard(first["set_aside_id"], OPERATOR)
    keep(set_aside, "x", fault=BlobNotFound("Gone."))
    (again,) = rows(sql)
    assert (again["set_aside_id"], again["state"]) == (first["set_aside_id"], "open")
    assert (again["reason"], again["explanation"]) == ("blob_not_found", "Gone.")
    assert (again["ended_at"], again["ended_by"]) == (None, None)
    assert again["set_aside_at"] > first["set_aside_at"]


def test_a_late_delivery_of_one_message_opens_nothing_that_has_ended(
    set_aside: SetAsideService, failures: FailureService, sql: psycopg.Connection[DictRow]
) -> None:
    delivery_id = new_id()
    keep(set_aside, "x", delivery_id=delivery_id)
    (first,) = rows(sql)
    keep(set_aside, "x", delivery_id=delivery_id, fault=BlobNotFound())
    (again,) = rows(sql)
    assert (again["reason"], again["set_aside_at"]) == ("blob_not_found", first["set_aside_at"])
    failures.discard(first["set_aside_id"], OPERATOR)
    keep(set_aside, "x", delivery_id=delivery_id)
    assert rows(sql)[0]["state"] == "discarded"
    keep(set_aside, "x", delivery_id=new_id())
    assert rows(sql)[0]["state"] == "open"


def test_a_message_of_the_same_bytes_is_not_ended_by_the_replay_of_another(
    set_aside: SetAsideService, failures: FailureService, sql: psycopg.Connection[DictRow]
) -> None:
    """It comes while the first is being replayed: what is done for that one is not done for it."""
    keep(set_aside, "[]", delivery_id=new_id())
    (kept,) = rows(sql)
    replay = Message(QUEUE, replay_request(kept["set_aside_id"]).encode())
    taken: list[Any] = []

    def use(message: Message, _: object) -> None:
        taken.append(message.delivery_id)
        if len(taken) == 1:
            keep(set_aside, "[]", delivery_id=new_id())

    set_aside.take(replay, ORIGIN, use)
    assert rows(sql)[0]["state"] == "open"
    set_aside.take(replay, ORIGIN, use)
    set_aside.take(replay, ORIGIN, use)
    assert rows(sql)[0]["state"] == "replayed"
    assert len(set(taken)) == len(taken) == 2
    assert failures.list_failures(OPEN).failures == []


def test_a_discarded_message_stays_on_record_and_is_not_replayed(
    set_aside: SetAsideService, failures: FailureService, sql: psycopg.Connection[DictRow]
) -> None:
    keep(set_aside, "[]")
    (kept,) = rows(sql)
    set_aside_id = kept["set_aside_id"]
    told = failures.discard(set_aside_id, OPERATOR)
    assert (told.state, told.ended_by) == (FailureState.DISCARDED, OPERATOR.actor)
    assert failures.discard(set_aside_id, OPERATOR) == told
    set_aside.take(
        Message(QUEUE, replay_request(set_aside_id).encode()),
        ORIGIN,
        never,
    )
    (row,) = rows(sql)
    assert (row["body"], row["reason"], row["state"]) == (b"[]", kept["reason"], "discarded")
    assert audited(sql) == ["message_discarded"]
    with pytest.raises(FailureNotFound):
        failures.discard(new_id(), OPERATOR)


def test_what_was_replayed_is_not_discarded(
    set_aside: SetAsideService, failures: FailureService, sql: psycopg.Connection[DictRow]
) -> None:
    keep(set_aside, "[]")
    set_aside_id = rows(sql)[0]["set_aside_id"]
    set_aside.take(Message(QUEUE, replay_request(set_aside_id).encode()), ORIGIN, nothing)
    with pytest.raises(FailureEnded):
        failures.discard(set_aside_id, OPERATOR)
    assert failures.replay(set_aside_id, OPERATOR).state is FailureState.REPLAYED
    assert audited(sql) == ["message_replayed"]


@pytest.mark.parametrize(
    "body",
    [
        replay_request(UUID(int=7)),  # the same in every process that shares these tests
        '{"kind": "replay"}',
        '{"kind": "replay", "set_aside_id": 7}',
        '{"kind": "replay", "set_aside_id": "x", "more": 1}',
    ],
)
def test_a_replay_of_nothing_is_itself_set_aside(
    ingestion: IngestionService, sql: psycopg.Connection[DictRow], body: str
) -> None:
    ingestion.take_blob_events(QUEUE, body.encode(), ORIGIN)
    ingestion.take_registration("other", body.encode(), ORIGIN)
    assert [row["reason"] for row in rows(sql)] == ["malformed_message"] * 2
    for row in rows(sql):  # which may be replayed like any other, and leads nowhere
        again = replay_request(row["set_aside_id"]).encode()
        ingestion.take_blob_events(row["source"], again, ORIGIN)
    assert [(row["state"], row["replays"]) for row in rows(sql)] == [("open", 1)] * 2


def test_a_message_is_replayed_from_its_own_queue_only(
    set_aside: SetAsideService, sql: psycopg.Connection[DictRow]
) -> None:
    keep(set_aside, "[]")
    (kept,) = rows(sql)
    foreign = Message("other", replay_request(kept["set_aside_id"]).encode())
    set_aside.take(foreign, ORIGIN, never)
    assert [(row["source"], row["state"]) for row in rows(sql)] == [
        (QUEUE, "open"),
        ("other", "open"),
    ]


def test_without_a_database_a_message_stays_in_its_queue(clock: TickingClock) -> None:
    down = Database("postgresql://nobody@127.0.0.1:1/none", size=1, timeout_seconds=0.2)
    set_aside = SetAsideService(down, clock)
    for body in (b"not JSON", replay_request(new_id()).encode()):
        with pytest.raises(DatabaseUnavailable):
            set_aside.take(Message(QUEUE, body), ORIGIN, nothing)
    down.close()


def test_a_list_tells_each_failure_once_newest_first_whatever_is_asked_for(
    set_aside: SetAsideService, failures: FailureService, sql: psycopg.Connection[DictRow]
) -> None:
    faults = [MalformedMessage("No."), BlobNotFound("Gone."), InvalidInput("Odd.")]
    for number, (source, fault) in enumerate(itertools.product("abc", faults * 3)):
        keep(set_aside, json.dumps(number), source=source, fault=fault)
    for row in rows(sql)[::4]:
        failures.discard(row["set_aside_id"], OPERATOR)
    reasons = ["malformed_message", "blob_not_found", "invalid_input", "none"]
    for state, source, reason in itertools.product(
        ("open", "discarded"), (None, *"abcd"), (None, *reasons)
    ):
        wanted = FailureFilter(FailureState(state), source, reason)
        expected = [
            row["set_aside_id"]
            for row in reversed(rows(sql))
            if row["state"] == state
            and source in {None, row["source"]}
            and reason in {None, row["reason"]}
        ]
        assert listed(failures, wanted) == expected, wanted


def listed(failures: FailureService, wanted: FailureFilter) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = failures.list_failures(wanted, limit=4, cursor=cursor)
        assert len(page.failures) <= 4
        found += [failure.set_aside_id for failure in page.failures]
        cursor = page.next
        if cursor is None:
            return found


def test_failures_of_one_instant_are_told_apart_by_their_ids(
    database: Database, clock: TickingClock, failures: FailureService
) -> None:
    now = clock()
    set_aside = SetAsideService(database, lambda: now)
    for number in range(10):
        keep(set_aside, json.dumps(number))
    found = listed(failures, OPEN)
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 10


def test_a_cursor_of_another_list_and_a_page_of_no_size_are_refused(
    set_aside: SetAsideService, failures: FailureService
) -> None:
    for number in range(3):
        keep(set_aside, json.dumps(number))
    cursor = failures.list_failures(OPEN, limit=1).next
    with pytest.raises(InvalidInput):
        failures.list_failures(FailureFilter(reason="malformed_message"), cursor=cursor)
    for limit in (0, 1001):
        with pytest.raises(InvalidInput):
            failures.list_failures(OPEN, limit=limit)
    for ended in (FailureState.REPLAYED, FailureState.DISCARDED):
        with pytest.raises(InvalidInput):
            failures.replay_all(FailureFilter(ended), OPERATOR)


@pytest.mark.parametrize(
    ("body", "text", "encoding"),
    [(b"\xc3\xa9\x00", "é\0", "text"), (b"\xff\x00", "/wA=", "base64"), (b"", "", "text")],
)
def test_a_body_is_shown_as_text_or_else_in_base64(
    set_aside: SetAsideService,
    failures: FailureService,
    sql: psycopg.Connection[DictRow],
    body: bytes,
    text: str,
    encoding: str,
) -> None:
    set_aside.set_aside(Message(QUEUE, body), MalformedMessage())
    seen = failures.get(rows(sql)[0]["set_aside_id"])
    assert (seen.body, seen.body_encoding) == (text, encoding)
    with pytest.raises(FailureNotFound):
        failures.get(new_id())
