"""Replay after the cause is mended: everything is registered, and once, whatever dies meanwhile."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import FailureEnded, FailureNotFound, NotReplayable
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.models.set_aside import FailureFilter, FailureState, Message, replay_request
from shared.repositories.set_aside import SetAsideRepository
from shared.services.artifact_service import ArtifactService
from shared.services.failures import FailureService
from shared.storage.queues import StorageQueue
from tests.integration.clock import TickingClock
from tests.integration.failing import Deaths, OwnQueue, Plant, audited, rows, unhashed
from tests.integration.messages import ORIGIN, event, stored, told
from tests.integration.uploads import Uploads

OPERATOR = Origin("key:operator", "request")
STEPS = [
    (StorageQueue, "send"),
    (OwnQueue, "receive"),
    (StorageQueue, "delete"),
    (SetAsideRepository, "mark_asked"),
    (SetAsideRepository, "record_events"),
    (SetAsideRepository, "begin_replay"),
    (SetAsideRepository, "end_replay"),
    (ArtifactService, "register"),
]


def fail(plant: Plant, uploads: Uploads, *names: str) -> None:
    """Notices and registrations of blobs that are not there."""
    for name in names:
        blob = uploads.reference(name)
        plant.queues[plant.events].send(event(blob).decode())
        plant.queues[plant.registrations].send(unhashed(blob).decode())
    plant.work()


def registered(sql: psycopg.Connection[DictRow]) -> list[tuple[str, str]]:
    return sorted((row["client_type"], row["blob_path"]) for row in stored(sql))


def test_what_is_mended_is_registered_and_says_so(
    plant: Plant, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    fail(plant, uploads, "a", "b")
    assert stored(sql) == []
    for name in ("a", "b"):
        uploads.put(name, name.encode())
    for set_aside_id in plant.open_ids():
        asked = plant.failures.replay(set_aside_id, OPERATOR)
        assert asked.state is FailureState.REPLAYING
    assert plant.open_ids() == []
    plant.work()
    assert registered(sql) == [("blob", "a"), ("blob", "b"), ("ddh", "a"), ("ddh", "b")]
    assert {(row["state"], row["ended_by"], row["replays"]) for row in rows(sql)} == {
        ("replayed", ORIGIN.actor, 1)
    }
    assert audited(sql) == ["message_replay_asked"] * 4 + ["message_replayed"] * 4


def test_a_replay_that_fails_opens_the_same_row_with_its_new_reason(
    plant: Plant, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    fail(plant, uploads, "a")
    before = {row["set_aside_id"]: row for row in rows(sql)}
    uploads.put("a", b"cold")
    uploads.container.get_blob_client("a").set_standard_blob_tier("Archive")
    plant.failures.replay_all(FailureFilter(), OPERATOR)
    plant.work()
    after = {row["set_aside_id"]: row for row in rows(sql)}
    assert after.keys() == before.keys()
    for set_aside_id, row in after.items():
        assert (row["state"], row["replays"], row["reason"]) == ("open", 1, "blob_unreadable")
        assert "archived" in row["explanation"]
        assert row["set_aside_at"] == before[set_aside_id]["set_aside_at"]
        assert row["last_tried_at"] is not None


def test_asked_twice_and_taken_by_two_at_once_it_counts_once(
    plant: Plant, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    names = [f"blob {number}" for number in range(8)]
    fail(plant, uploads, *names)
    for name in names:
        uploads.put(name, name.encode())
    asked = [(row["source"], row["set_aside_id"]) for row in rows(sql)]

    def take(place: int) -> None:
        source, set_aside_id = asked[place % len(asked)]
        plant.failures.replay(set_aside_id, OPERATOR)
        body = replay_request(set_aside_id).encode()
        if source == plant.events:
            plant.ingestion.take_blob_events(source, body, ORIGIN)
        else:
            plant.ingestion.take_registration(source, body, ORIGIN, new_id())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(take, range(3 * len(asked))))
    plant.work()  # what was asked for above is still to be taken
    assert len(registered(sql)) == len(asked)
    assert {row["state"] for row in rows(sql)} == {"replayed"}
    assert audited(sql).count("message_replayed") == len(asked)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
def test_killed_between_any_two_steps_it_still_counts_once(
    plant: Plant,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
    every: int,
) -> None:
    deaths = Deaths(monkeypatch, *STEPS)
    names = iter(f"blob {number}" for number in range(1000))

    def ask_and_work() -> None:
        plant.failures.replay_all(FailureFilter(), OPERATOR)
        plant.work()

    def prepare() -> None:
        name = next(names)
        fail(plant, uploads, name)
        uploads.put(name, b"pixels")

    prepare()
    moments = 0
    for _ in deaths.each(ask_and_work, every):
        ask_and_work()  # by whoever comes after
        assert plant.open_ids() == plant.open_ids(state=FailureState.REPLAYING) == []
        moments += 1
        prepare()
    assert moments * every >= 2 * (len(STEPS) + 5)
    assert len(registered(sql)) == len(set(registered(sql))) == len(rows(sql))
    assert {row["state"] for row in rows(sql)} == {"replayed"}
    assert audited(sql).count("message_replayed") == len(rows(sql))


@pytest.mark.long
def test_killed_while_it_leaves_messages_nothing_of_them_is_lost(
    plant: Plant,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A folder that was deleted becomes a message for each blob that was in it."""
    folders = [f"folder {number}" for number in range(30)]
    for folder in folders:
        for name in ("a", "b"):
            blob = uploads.put(f"{folder}/{name}", b"pixels")
            plant.ingestion.register_blob(blob, ORIGIN)
            uploads.container.delete_blob(blob.path)
    deaths = Deaths(monkeypatch, *STEPS)

    def fail_once() -> None:
        deleted = told("DirectoryDeleted", uploads.reference(folders.pop()))
        message = Message(plant.events, deleted)
        plant.set_aside.keep(message, "poisoned", "It failed.")
        (set_aside_id,) = plant.open_ids()
        plant.failures.replay(set_aside_id, OPERATOR)

    gone = 0
    fail_once()
    for _ in deaths.each(plant.work):
        plant.work()
        gone += 2
        missing = [row for row in stored(sql) if row["missing_since"] is not None]
        assert len(missing) == gone
        fail_once()
    assert gone >= 24
    assert {row["state"] for row in rows(sql)} == {"replayed"}


def test_a_message_and_its_replay_are_one_registration(
    plant: Plant, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    """Set aside by a worker that dies before the message is deleted; both come again, mended."""
    body, message_id = unhashed(uploads.reference("a")), new_id()
    plant.ingestion.take_registration(plant.registrations, body, ORIGIN, message_id)
    uploads.put("a", b"pixels")
    for set_aside_id in plant.open_ids():
        plant.failures.replay(set_aside_id, OPERATOR)
    plant.work()
    plant.ingestion.take_registration(plant.registrations, body, ORIGIN, message_id)
    assert [row["artifact_id"] for row in stored(sql)] == [message_id]


def test_what_cannot_be_replayed_is_refused(
    plant: Plant, uploads: Uploads, database: Database, clock: TickingClock
) -> None:
    fail(plant, uploads, "a")
    (first, second) = plant.open_ids()
    with pytest.raises(FailureNotFound):
        plant.failures.replay(new_id(), OPERATOR)
    elsewhere = FailureService(database, clock, {})
    with pytest.raises(NotReplayable):
        elsewhere.replay(first, OPERATOR)
    told = elsewhere.replay_all(FailureFilter(), OPERATOR)
    assert (told.count, told.skipped, told.next) == (0, 2, None)
    assert plant.open_ids() == [first, second]
    plant.failures.discard(first, OPERATOR)
    with pytest.raises(FailureEnded):
        plant.failures.replay(first, OPERATOR)
    assert plant.queues[plant.events].waiting == plant.queues[plant.registrations].waiting == 0
