"""Days of the audit trail are sealed once they are over, in the database and outside of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from azure.functions.timer import TimerRequest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from functions import audit_timers
from shared.database.pool import Database
from shared.errors import SealConflict
from shared.models.audit_seals import DaySeal, SealKeys, seal_hash
from shared.models.merkle import MerkleTree
from shared.storage.kept_blobs import KeptBlobs
from tests.integration.auditing import write_event
from tests.integration.clock import TickingClock
from tests.integration.proving import FIRST_DAY, KEYS, Proving, proving

Sql = psycopg.Connection[DictRow]
OTHER_KEYS = SealKeys.of("", "another pepper, which is as long as it has to be")


@pytest.fixture
def proof(
    azurite: Azurite, unique_name: str, database: Database, sql: Sql, clock: TickingClock
) -> Iterator[Proving]:
    with proving(azurite.connection_string, unique_name, database, sql, clock) as proof:
        yield proof


def seals_in(sql: Sql) -> list[DaySeal]:
    rows = sql.execute("SELECT seal FROM registry.trail_days WHERE seal IS NOT NULL ORDER BY day")
    return [DaySeal.read(row["seal"]) for row in rows.fetchall()]


def test_a_seal_says_what_the_day_was_and_everybody_can_check_it(proof: Proving, sql: Sql) -> None:
    proof.live(days=3, events=5)
    assert proof.seals.seal_days(60) == 2

    first, second = seals_in(sql)
    assert (first.day, first.first_number, first.last_number, first.events) == (FIRST_DAY, 1, 5, 5)
    assert (second.first_number, second.last_number) == (6, 10)
    assert first.previous_seal == "0" * 64
    assert second.previous_seal == seal_hash(first.text)
    tree = MerkleTree()
    rows = sql.execute("SELECT hash FROM registry.trail WHERE number > 5 ORDER BY number")
    for row in rows.fetchall()[:5]:
        tree.add(row["hash"])
    assert second.root == tree.root.hex()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(second.key_id))
    key.verify(bytes.fromhex(second.signature), second.signed)
    outside = proof.container.download_blob("2030/01/2030-01-31.json").readall()
    assert outside.decode() == second.text


def test_ends_of_shards_are_carried_from_day_to_day(proof: Proving, sql: Sql) -> None:
    proof.live(days=4, events=2)
    proof.seals.seal_days(60)

    *_, last = seals_in(sql)
    rows = sql.execute("""
        SELECT DISTINCT ON (shard) shard, number, hash FROM registry.trail WHERE number <= 6
        ORDER BY shard, number DESC
    """).fetchall()
    assert {shard: tuple(end) for shard, end in last.ends.items()} == {
        row["shard"]: (row["number"], row["hash"]) for row in rows
    }


def test_a_day_that_is_not_over_has_no_seal(proof: Proving, sql: Sql) -> None:
    proof.live(days=1, events=3)
    proof.clock.now = datetime(2030, 1, 30, 23, 59, 50, tzinfo=UTC)
    assert proof.seals.seal_days(60) == 0
    proof.clock.now = datetime(2030, 1, 31, tzinfo=UTC)
    assert proof.seals.seal_days(60) == 1
    assert proof.seals.seal_days(60) == 0


def test_nothing_is_recorded_any_more_on_a_day_that_is_sealed(proof: Proving, sql: Sql) -> None:
    proof.live(days=1, events=3)
    proof.clock.now = datetime(2030, 1, 31, 0, 0, 1, tzinfo=UTC)
    proof.seals.seal_days(60)

    proof.clock.now = datetime(2030, 1, 30, 13, tzinfo=UTC)  # a process whose clock is late
    write_event(sql, "late")
    proof.relay.relay(60)

    days = sql.execute("SELECT day, last_number FROM registry.trail_days ORDER BY day").fetchall()
    assert [tuple(day.values()) for day in days] == [(FIRST_DAY, 3), (date(2030, 1, 31), 4)]
    assert proof.verify().is_whole


def test_a_day_is_sealed_when_it_is_written_not_before(proof: Proving, sql: Sql) -> None:
    proof.live(days=1, events=3)
    write_event(sql, "waiting")
    proof.relay.number_some()
    proof.clock.now += timedelta(days=1)
    assert proof.seals.seal_days(60) == 0
    proof.relay.relay(60)
    assert proof.seals.seal_days(60) == 1


def test_killed_between_the_two_places_the_same_seal_comes_into_the_other(
    proof: Proving, sql: Sql
) -> None:
    proof.live(days=2, events=3)
    proof.seals.seal_days(60)
    sql.execute("UPDATE registry.trail_days SET seal = NULL, sealed_at = NULL")
    assert proof.verify().is_whole
    # The key may be another one by now; what is outside stays.
    proof.keys = SealKeys(OTHER_KEYS.own, KEYS.believed | OTHER_KEYS.believed)
    assert proof.seals.seal_days(60) == 1

    [seal] = seals_in(sql)
    assert seal.key_id == KEYS.key_id
    assert proof.verify().is_whole


def test_a_trail_that_is_not_what_was_sealed_is_not_sealed_again(proof: Proving, sql: Sql) -> None:
    proof.live(days=2, events=3)
    proof.seals.seal_days(60)
    sql.execute("UPDATE registry.trail_days SET seal = NULL, sealed_at = NULL")
    sql.execute("UPDATE registry.trail SET hash = sha256('other') WHERE number = 2")

    with pytest.raises(SealConflict, match="says otherwise"):
        proof.seals.seal_days(60)
    assert seals_in(sql) == []


def test_a_day_that_lacks_an_event_is_not_sealed(proof: Proving, sql: Sql) -> None:
    proof.live(days=2, events=3)
    sql.execute("DELETE FROM registry.trail WHERE number = 2")
    with pytest.raises(SealConflict, match="event 2 "):
        proof.seals.seal_days(60)
    assert list(proof.container.list_blob_names()) == []


def test_blobs_are_written_once(proof: Proving) -> None:
    assert proof.kept.keep("a", b"first")
    assert not proof.kept.keep("a", b"second")
    assert proof.kept.read("a") == b"first"
    assert proof.kept.read("b") is None


def test_the_container_is_made_when_it_is_needed(azurite: Azurite, proof: Proving) -> None:
    name = proof.container.container_name + "x"
    kept = KeptBlobs(azurite.connection_string, name)
    assert (kept.read("a"), list(kept.paths()), list(kept.chunks("a"))) == (None, [], [])
    assert kept.keep("a", b"first")
    assert list(kept.paths()) == ["a"]
    other = KeptBlobs(azurite.connection_string, name + "x")
    assert other.keep("a", iter([b"fi", b"rst"]))
    assert other.read("a") == b"first"


@pytest.mark.parametrize("seed", ["short", "AAAA", "!" * 44])
def test_a_key_that_is_none_is_refused_and_not_shown(seed: str) -> None:
    with pytest.raises(ValueError, match="32 bytes in Base64") as refused:
        SealKeys.of(seed, "pepper")
    assert seed not in str(refused.value)


def test_once_an_hour_days_are_sealed_and_what_is_amiss_is_told(
    proof: Proving, sql: Sql, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit_timers, "trail_seals", lambda: proof.seals)
    seal_audit_days = audit_timers.seal_audit_days.build().get_user_function()
    proof.live(days=3, events=3)
    seal_audit_days(TimerRequest())
    assert [seal.last_number for seal in seals_in(sql)] == [3, 6]

    proof.clock.now += timedelta(days=1)
    sql.execute("DELETE FROM registry.trail WHERE number = 8")
    seal_audit_days(TimerRequest())
    assert len(seals_in(sql)) == 2
    assert "audit day cannot be sealed" in caplog.text
