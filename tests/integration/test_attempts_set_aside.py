"""What is set aside, and what policies leave undone, is told once, with its own transaction."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NoReturn

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import BlobNotFound, MalformedMessage, RegistryError
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.models.set_aside import Message, replay_request
from shared.repositories.set_aside import SetAsideRepository
from shared.services.failures import FailureService
from shared.services.poison_queues import PoisonQueues
from shared.services.set_aside import SetAsideService
from tests.integration.clock import TickingClock
from tests.integration.failing import OwnQueue, rows
from tests.integration.policing import COOL, DAY, DELETE, PURGE, Policing, policing

__all__ = ["policing"]  # a fixture that is asked for by its name

Sql = psycopg.Connection[DictRow]
ORIGIN = Origin("function:test", "invocation")


def keep(set_aside: SetAsideService, text: bytes = b"x", **told: Any) -> None:
    fault: RegistryError = told.pop("fault", MalformedMessage("No."))
    set_aside.set_aside(Message("q", text, **told), fault, ORIGIN)


def told(sql: Sql) -> list[DictRow]:
    return sql.execute(
        "SELECT * FROM registry.outbox WHERE NOT success ORDER BY position"
    ).fetchall()


def test_a_message_that_is_set_aside_is_told_once_however_often_it_comes(
    set_aside: SetAsideService, sql: Sql
) -> None:
    delivery_id = new_id()
    for _ in range(3):
        keep(set_aside, delivery_id=delivery_id)
        keep(set_aside, fault=BlobNotFound("Gone."))
    (event,) = told(sql)
    assert (event["operation"], event["action"]) == ("message_set_aside", "set_aside")
    assert (event["actor"], event["request_id"]) == (ORIGIN.actor, ORIGIN.request_id)
    assert event["error"] == "malformed-message: No."
    (row,) = rows(sql)
    assert event["details"] == {
        "set_aside_id": str(row["set_aside_id"]),
        "source": "q",
        "reason": "malformed_message",
    }


def test_what_had_ended_and_fails_again_is_told_again(
    set_aside: SetAsideService, database: Database, clock: TickingClock, sql: Sql
) -> None:
    keep(set_aside, delivery_id=(delivery_id := new_id()))
    FailureService(database, clock, {}).discard(rows(sql)[0]["set_aside_id"], ORIGIN)
    keep(set_aside, delivery_id=delivery_id)
    assert len(told(sql)) == 1, "a late delivery opens nothing"
    keep(set_aside, delivery_id=new_id(), fault=BlobNotFound("Gone."))
    assert [event["error"] for event in told(sql)] == [
        "malformed-message: No.",
        "blob-not-found: Gone.",
    ]


def test_the_same_message_set_aside_by_many_at_once_is_told_once(
    set_aside: SetAsideService, sql: Sql
) -> None:
    for number in range(10):
        with ThreadPoolExecutor(8) as pool:
            for _ in range(8):
                pool.submit(keep, set_aside, b"%d" % number)
    assert len(told(sql)) == len(rows(sql)) == 10


def test_neither_is_kept_without_the_other(
    set_aside: SetAsideService, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SetAsideRepository, "record_failure", die)
        with pytest.raises(KeyboardInterrupt):
            keep(set_aside)
    assert rows(sql) == told(sql) == []
    keep(set_aside)
    assert len(rows(sql)) == len(told(sql)) == 1


def test_a_replay_that_fails_is_told_each_time(set_aside: SetAsideService, sql: Sql) -> None:
    keep(set_aside, b"[]")
    replay = Message("q", replay_request(rows(sql)[0]["set_aside_id"]).encode())

    def fail(*_: object) -> NoReturn:
        raise BlobNotFound("Gone.")

    for _ in range(2):
        set_aside.take(replay, ORIGIN, fail)
    _, *replays = told(sql)
    assert [(event["operation"], event["action"], event["error"]) for event in replays] == [
        ("message_replayed", "replay", "blob-not-found: Gone.")
    ] * 2
    set_aside.give_up(replay, "poisoned", "It failed.", Origin("function:drain"))
    assert (told(sql)[-1]["actor"], told(sql)[-1]["error"]) == (
        "function:drain",
        "poisoned: It failed.",
    )


def test_what_the_host_gave_up_is_told_of_who_drains(
    set_aside: SetAsideService, own_queue: OwnQueue, sql: Sql
) -> None:
    own_queue.send("no JSON")
    PoisonQueues({"q": own_queue}, set_aside).drain(60.0, Origin("function:drain", "invocation"))
    (event,) = told(sql)
    assert (event["operation"], event["actor"]) == ("message_set_aside", "function:drain")
    assert event["error"].startswith("poisoned: ")


@pytest.mark.parametrize(
    ("policy", "action"), [(COOL, "archive"), (DELETE, "delete"), (PURGE, "purge")]
)
def test_what_a_policy_claimed_and_was_refused_is_told(
    policing: Policing, policy: dict[str, Any], action: str
) -> None:
    held = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    if policy is PURGE:
        policing.artifacts.mark_deleted(held.artifact_id)
    name = policing.enforce(policy)
    policing.clock.now += 100 * DAY
    policing.runs.start_due()
    assert policing.runs.advance() == 1
    policing.hold(held)
    policing.ask(held)
    policing.work()
    run = policing.latest(name)
    assert run.refused == {"hold": 1}
    (event,) = policing.events("status_update", success=False)
    assert (event["action"], event["error"]) == (action, "policy-refused: hold")
    assert (event["actor"], event["request_id"]) == (f"policy:{name}", str(run.run_id))
    assert (event["asset_id"], event["artifact_id"]) == (held.asset_id, held.artifact_id)
    assert event["details"] == {"policy": name, "policy_run": str(run.run_id)}


def test_what_a_policy_failed_to_do_is_told_and_what_it_did_only_as_done(
    policing: Policing,
) -> None:
    gone, old = policing.upload("v1", b"one"), policing.upload("v2", b"two")
    policing.upload("v3", b"three")
    policing.uploads.container.delete_blob("v1")
    policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    (failed,) = policing.events("status_update", success=False)
    assert failed["artifact_id"] == gone.artifact_id
    assert failed["error"].startswith("policy-failed: ")
    assert [each["artifact_id"] for each in policing.events("status_update")] == [old.artifact_id]
    policing.clock.now += timedelta(minutes=1)
    policing.runs.advance()
    assert len(policing.events("status_update", success=False)) == 1
