"""A database is restored to an earlier time: the audit trail's table is ahead of it."""

# The SDK's **kwargs carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from azure.data.tables import TableClient

from devhost.stack.azurite import Azurite
from functions import audit
from shared.errors import SealConflict
from shared.models.audit_entities import Entity, key_of
from shared.models.audit_recovery import EventsBeyond
from shared.models.registrations import Origin
from shared.repositories.trail import TrailRepository
from shared.services import trail_recovery
from shared.services.trail_recovery import TrailRecovery
from shared.storage import audit_table
from tests.databases import own_database
from tests.integration.auditing import assert_whole, event_in, write_event
from tests.integration.backfilling import running
from tests.integration.clock import TickingClock
from tests.integration.proving import FIRST_DAY, PEPPER, Proving, forged, proving
from tests.integration.sealed import closed, opened

ORIGIN = Origin("cli:audit reconcile")
KNOWN = 20
WAITING = 3
"""Events that the backup has in its outbox, and that were numbered soon after it was made."""
LATER = 10
"""Of each of the three days after it."""
LAST = KNOWN + WAITING + 3 * LATER


@pytest.fixture
def restored(
    postgres: str, template_database: str, azurite: Azurite, unique_name: str
) -> Iterator[Proving]:
    """Two days are in the backup; of three more, two are sealed."""
    with (
        own_database(postgres, template_database) as url,
        lived(url, azurite.connection_string, unique_name) as proof,
    ):
        proof.live(days=2, events=KNOWN // 2)
        artifacts = proof.sql.execute("SELECT artifact_id FROM registry.trail").fetchall()
        for place in range(WAITING):
            write_event(proof.sql, f"waiting_{place}", artifacts[place]["artifact_id"])
        closed(proof.database, proof.sql)
        name = urlsplit(url).path.removeprefix("/")
        with own_database(postgres, name) as backup:
            database, sql = opened(url)
            lost = replace(proof, database=database, sql=sql)
            for day in range(2, 5):
                live_on(lost, FIRST_DAY + timedelta(days=day), LATER)
            lost.seals.seal_days(60)
            lost.clock.now += timedelta(hours=1)
            closed(database, sql)
            database, sql = opened(backup)
            yield replace(proof, database=database, sql=sql)
            closed(database, sql)


@contextmanager
def lived(url: str, account: str, name: str) -> Generator[Proving]:
    database, sql = opened(url)
    with proving(account, name, database, sql, TickingClock()) as proof:
        yield proof


def live_on(proof: Proving, day: date, events: int) -> None:
    proof.clock.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    known = proof.sql.execute("SELECT artifact_id FROM registry.trail").fetchall()
    for place in range(events):
        write_event(proof.sql, f"later_{place}", known[place]["artifact_id"])
    proof.relay.relay(60)


def recovery(proof: Proving) -> TrailRecovery:
    return TrailRecovery(
        proof.database, proof.trail.table, proof.relay, proof.kept, proof.keys, proof.clock
    )


def assert_refused(proof: Proving, reason: str) -> None:
    """And nothing is taken up."""
    for attempt in (recovery(proof).look, lambda: recovery(proof).take_up(ORIGIN)):
        with pytest.raises(SealConflict, match=reason):
            attempt()
    assert end_of(proof) == KNOWN


def number_of(entity: Entity) -> int:
    return event_in(entity).number


def end_of(proof: Proving) -> int:
    [row] = proof.sql.execute("SELECT number FROM registry.trail_end").fetchall()
    return row["number"]


def test_nothing_is_numbered_over_what_the_table_has_and_all_of_it_is_taken_up(
    restored: Proving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = restored.trail.events("day")
    for attempt in (restored.relay.relay, restored.seals.seal_days):
        with pytest.raises(SealConflict, match="audit reconcile"):
            attempt(60)
    only_relay = SimpleNamespace(audit=SimpleNamespace(relay=restored.relay))
    monkeypatch.setattr(audit, "registry", lambda: only_relay)
    audit._relay()  # pyright: ignore[reportPrivateUsage] - what timer and queue do: no poison
    assert "audit trail is ahead of the database" in caplog.text
    assert restored.trail.events("day") == before
    assert end_of(restored) == KNOWN
    found = restored.verify()
    assert (found.is_whole, set(found.faults)) == (False, {"inserted", "seal"})

    looked = recovery(restored).look()
    assert looked == recovery(restored).take_up(ORIGIN)
    assert (looked.known_number, looked.last_number) == (KNOWN, LAST)
    assert (looked.events, looked.lost, looked.sealed_days) == (WAITING + 3 * LATER, 0, 2)

    write_event(restored.sql, "afterwards")
    assert restored.relay.relay(60) == 2
    assert_whole(restored.trail, restored.sql, LAST + 2)
    *known, recovered, afterwards = restored.trail.events("day")
    assert known == before
    assert (recovered["operation"], afterwards["operation"]) == (
        "audit_trail_recovered",
        "afterwards",
    )
    assert EventsBeyond(**recovered["details"]) == looked
    restored.clock.now += timedelta(days=1)
    assert restored.seals.seal_days(60) == 5
    proof = restored.verify()
    assert (proof.is_whole, proof.sealed_days, proof.events) == (True, 5, LAST + 2)
    assert recovery(restored).take_up(ORIGIN).events == 0
    assert restored.sql.execute("SELECT FROM registry.outbox").fetchall() == []


def test_a_command_tells_and_takes_up(
    restored: Proving, postgres: str, azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, str | None] = {
        "DATABASE_URL": urlsplit(postgres)._replace(path=f"/{restored.sql.info.dbname}").geturl(),
        "STORAGE": azurite.connection_string,
        "KEY_PEPPER": PEPPER,
        "AUDIT_TABLE": restored.trail.prefix,
        "AUDIT_SEAL_CONTAINER": restored.container.container_name,
    }
    command = running(monkeypatch, {f"REGISTRY_{name}": text for name, text in settings.items()})
    for flags, code, told in (
        ([], 1, "see --repair"),
        (["--repair"], 0, ""),
        ([], 0, "knows all that is in the trail"),
    ):
        done = command("audit", "reconcile", *flags)
        assert done.exit_code == code, done.output
        assert told in done.stderr
    assert end_of(restored) == LAST


@pytest.mark.long
def test_whoever_takes_up_the_trail_may_be_killed_at_any_page(
    restored: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_recovery, "_AT_ONCE", 7)
    number_events, pages = TrailRepository.number_events, 0

    def dying(trail: TrailRepository, events: list[dict[str, object]]) -> None:
        nonlocal pages
        number_events(trail, events)
        pages += 1
        if pages % 2 == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrailRepository, "number_events", dying)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            recovery(restored).take_up(ORIGIN)
    monkeypatch.undo()
    recovery(restored).take_up(ORIGIN)
    restored.relay.relay(60)
    assert restored.verify().is_whole
    assert pages == 8


@pytest.mark.long
def test_numbers_that_were_handed_out_and_never_written_are_filled_in(restored: Proving) -> None:
    """Whoever wrote the last ones died with the database: of each shard, the oldest are there."""
    last = [each for each in restored.trail.entities if event_in(each).number > LAST - LATER]
    days = [each for each in last if each["PartitionKey"].startswith("day-")]
    shard = event_in(max(days, key=number_of)).shard
    older, *lost = sorted((one for one in days if event_in(one).shard != shard), key=number_of)
    for entity in [each for each in last if each not in days] + lost:
        restored.remove(entity)
    found = recovery(restored).take_up(ORIGIN)
    assert (found.lost, found.events) == (len(lost), WAITING + 3 * LATER - len(lost))
    assert found.lost > 1

    restored.relay.relay(60)
    assert_whole(restored.trail, restored.sql, LAST + 1)
    assert restored.verify().is_whole
    told = {event["number"]: event["operation"] for event in restored.trail.events("day")}
    assert [number for number in told if told[number] == "audit_event_lost"] == [
        number_of(entity) for entity in lost
    ]
    assert told[number_of(older)].startswith("later_")


def test_who_dies_while_writing_leaves_the_oldest_events_of_a_shard(
    restored: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovery(restored).take_up(ORIGIN)
    restored.relay.relay(60)
    restored.clock.now += timedelta(days=1)
    artifact = UUID(int=1)
    for place in range(12):
        write_event(restored.sql, f"last_{place}", artifact)
    submit, batches = TableClient.submit_transaction, 0

    def dying(*arguments: Any) -> object:
        nonlocal batches
        batches += 1
        if batches > 2:
            raise KeyboardInterrupt
        return submit(*arguments)

    monkeypatch.setattr(TableClient, "submit_transaction", dying)
    monkeypatch.setattr(audit_table, "_MOST_ENTITIES", 5)
    with pytest.raises(KeyboardInterrupt):
        restored.relay.relay(60)
    last = [one["Operation"] for one in restored.trail.entities if "last_" in one["Operation"]]
    assert sorted(last) == sorted(f"last_{place}" for place in range(10))


def test_what_does_not_go_on_from_what_is_known_is_not_taken_up(
    restored: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = next(
        each
        for each in restored.trail.entities_of("day")
        if each["Operation"] == "later_4" and "day-2030-02-01" in key_of(each).partition
    )
    monkeypatch.setattr(trail_recovery, "MOST_WRITTEN_AT_ONCE", 5)
    for entity, reason in (
        (forged(changed, actor="key:another"), "does not go on|not the day that was sealed"),
        (changed | {"Actor": "key:another"}, "did not write"),
    ):
        restored.put(entity)
        assert_refused(restored, reason)
    restored.remove(changed)
    assert_refused(restored, "lacks event")
    restored.put(changed)
    assert recovery(restored).look().lost == 0
