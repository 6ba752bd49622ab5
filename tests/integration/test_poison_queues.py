"""What the host gave up is set aside before it is deleted: nothing is lost, nothing kept twice."""

import json
from base64 import b64encode
from pathlib import Path

import psycopg
import pytest
from azure.storage.queue import QueueClient
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import DatabaseUnavailable, StorageUnavailable
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.models.set_aside import FailureFilter, replay_request
from shared.repositories.set_aside import SetAsideRepository
from shared.services.poison_queues import ATTEMPTS, PoisonQueues
from shared.services.set_aside import SetAsideService
from shared.storage.queues import StorageQueue
from tests.integration.clock import TickingClock
from tests.integration.failing import Deaths, OwnQueue, Plant, rows, unhashed
from tests.integration.messages import event, stored
from tests.integration.uploads import Uploads

OPERATOR = Origin("key:operator", "request")
HOST = json.loads((Path(__file__).parents[2] / "host.json").read_text())


def left(plant: Plant) -> int:
    return sum(queue.waiting for queue in plant.poison.values())


def test_poisoned_messages_are_replayed_and_count_once(
    plant: Plant, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    blob = uploads.put("a", b"pixels")
    plant.poison[plant.events].send(event(blob).decode())
    plant.poison[plant.registrations].send(b64encode(unhashed(blob)).decode())
    assert plant.drain() == 2
    assert (left(plant), stored(sql)) == (0, [])
    for row in rows(sql):
        assert (row["reason"], row["state"]) == ("poisoned", "open")
        assert f"failed {ATTEMPTS} times" in row["explanation"]
    for _ in range(2):
        plant.failures.replay_all(FailureFilter(reason="poisoned"), OPERATOR)
    plant.work()
    assert sorted(row["client_type"] for row in stored(sql)) == ["blob", "ddh"]
    assert {row["state"] for row in rows(sql)} == {"replayed"}


def test_how_often_a_message_is_tried_is_what_the_host_is_told() -> None:
    assert HOST["extensions"]["queues"]["maxDequeueCount"] == ATTEMPTS


def test_a_list_of_events_is_poisoned_and_replayed_as_one(
    plant: Plant, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    good, gone = event(uploads.put("a", b"pixels")), event(uploads.reference("gone"))
    plant.poison[plant.events].send(f"[{good.decode()},{gone.decode()}]")
    plant.drain()
    plant.failures.replay_all(FailureFilter(), OPERATOR)
    plant.work()
    assert [row["blob_path"] for row in stored(sql)] == ["a"]
    assert [(row["reason"], row["state"]) for row in rows(sql)] == [
        ("poisoned", "replayed"),
        ("blob_not_found", "open"),
    ]


def test_killed_between_any_two_steps_nothing_is_lost_and_nothing_kept_twice(
    plant: Plant, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = Deaths(
        monkeypatch, (OwnQueue, "receive"), (StorageQueue, "delete"), (SetAsideRepository, "add")
    )
    sent: set[bytes] = set()

    def poison() -> None:
        for name, queue in plant.poison.items():
            body = f"message {len(sent)} of {name}"
            queue.send(body)
            sent.add(body.encode())

    poison()
    moments = 0
    for _ in deaths.each(plant.drain):
        plant.drain()
        assert left(plant) == 0
        assert [row["arrivals"] for row in rows(sql)] == [1] * len(sent)
        assert {row["body"] for row in rows(sql)} == sent
        moments += 1
        poison()
    assert moments >= 12


def test_a_copy_that_comes_late_opens_nothing_that_has_ended(
    plant: Plant, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept, and the run killed; dealt with by an operator; then seen by the next run once more."""
    plant.poison[plant.events].send("not JSON")
    deaths = Deaths(monkeypatch, (StorageQueue, "delete"))
    next(deaths.each(plant.drain))
    (kept,) = rows(sql)
    plant.failures.discard(kept["set_aside_id"], OPERATOR)
    assert plant.drain() == 1
    assert [row["state"] for row in rows(sql)] == ["discarded"]
    plant.poison[plant.events].send("not JSON")
    plant.drain()
    assert [row["state"] for row in rows(sql)] == ["open"]


def test_a_replay_that_was_given_up_opens_what_it_was_to_take(
    plant: Plant, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    plant.queues[plant.events].send(event(uploads.reference("a")).decode())
    plant.work()
    (kept,) = rows(sql)
    plant.failures.replay(kept["set_aside_id"], OPERATOR)
    assert plant.open_ids() == []
    plant.poison[plant.events].send(replay_request(kept["set_aside_id"]))
    plant.drain()
    (again,) = rows(sql)
    assert (again["set_aside_id"], again["state"]) == (kept["set_aside_id"], "open")
    assert (again["reason"], again["replays"], again["body"]) == ("poisoned", 0, kept["body"])


def test_a_replay_of_nothing_that_was_given_up_is_kept_as_it_is(
    plant: Plant, sql: psycopg.Connection[DictRow]
) -> None:
    request = replay_request(new_id())
    plant.poison[plant.events].send(request)
    plant.drain()
    assert [(row["body"], row["reason"]) for row in rows(sql)] == [(request.encode(), "poisoned")]


@pytest.mark.parametrize(
    "text", ["", "<&>]]>", "é\u2028\U0001f600", '{"id": 1}', "[" * 5000, " \r\n\t x ", "x" * 40_000]
)
def test_whatever_a_message_holds_is_kept_as_it_is(
    plant: Plant, sql: psycopg.Connection[DictRow], text: str
) -> None:
    queue = plant.poison[plant.events]
    queue.send(text)
    (seen,) = queue.client.peek_messages()
    plant.drain()
    assert left(plant) == 0
    assert [row["body"].decode() for row in rows(sql)] == [str(seen.content or "")]


def test_more_than_one_batch_is_drained_and_a_queue_that_is_missing_is_no_fault(
    plant: Plant, azurite: Azurite, unique_name: str, sql: psycopg.Connection[DictRow]
) -> None:
    for number in range(70):
        plant.poison[plant.events].send(f"message {number}")
    queues = {
        "missing": StorageQueue(azurite.connection_string, f"{unique_name}-missing"),
        plant.events: plant.poison[plant.events],
    }
    assert PoisonQueues(queues, plant.set_aside).drain(60.0) == 70
    assert len(rows(sql)) == 70


def test_a_run_ends_in_time_and_no_queue_waits_for_another(
    plant: Plant, sql: psycopg.Connection[DictRow]
) -> None:
    for name, queue in plant.poison.items():
        for number in range(40):
            queue.send(f"message {number} of {name}")
    seconds = iter(range(100))
    queues = PoisonQueues(plant.poison, plant.set_aside, lambda: float(next(seconds)))
    assert queues.drain(1.5) == 64
    assert [row["source"] for row in rows(sql)].count(plant.events) == 32
    assert plant.drain() == 16


def test_without_a_database_messages_wait_for_the_next_run(
    plant: Plant, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    plant.poison[plant.events].send("not JSON")
    down = Database("postgresql://nobody@127.0.0.1:1/none", size=1, timeout_seconds=0.2)
    with pytest.raises(DatabaseUnavailable):
        PoisonQueues(plant.poison, SetAsideService(down, clock)).drain(60.0)
    down.close()
    assert left(plant) == 1
    assert plant.drain() == 1
    assert len(rows(sql)) == 1


def test_without_storage_a_run_says_so(
    own_azurite: Azurite, unique_name: str, database: Database, clock: TickingClock
) -> None:
    queue = StorageQueue(own_azurite.connection_string, unique_name)
    own_azurite.stop()
    with pytest.raises(StorageUnavailable):
        PoisonQueues({"q": queue}, SetAsideService(database, clock)).drain(60.0)


def test_a_message_that_somebody_else_has_by_now_is_not_deleted(
    azurite: Azurite, unique_name: str
) -> None:
    queue = OwnQueue(azurite.connection_string, unique_name)
    with QueueClient.from_connection_string(azurite.connection_string, unique_name) as client:
        client.create_queue()
        queue.send("x")
        (stale,) = queue.receive(1, 60)
        queue.release()
        (held,) = queue.receive(1, 60)
        queue.delete(stale)
        assert queue.waiting == 1
        queue.delete(held)
        queue.delete(held)
        assert queue.waiting == 0
        client.delete_queue()
        queue.delete(held)
    with pytest.raises(StorageUnavailable, match="QueueNotFound"):
        queue.send("x")
