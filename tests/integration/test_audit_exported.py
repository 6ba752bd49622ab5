"""A file that a month of the audit trail was exported to is proven by the seals; others are not."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import SealConflict
from shared.models.audit import AuditEvent, KeptEvent, event_hash
from tests.integration.backfilling import Command, command
from tests.integration.clock import TickingClock
from tests.integration.proving import Proving, proving
from tests.integration.retaining import EVENTS, FILE, Retaining, retaining

__all__ = ["command"]  # a fixture that is asked for by its name


@pytest.fixture
def proof(
    azurite: Azurite,
    unique_name: str,
    database: Database,
    sql: psycopg.Connection[DictRow],
    clock: TickingClock,
) -> Iterator[Proving]:
    with proving(azurite.connection_string, unique_name, database, sql, clock) as proof:
        yield proof


@pytest.fixture
def months(azurite: Azurite, unique_name: str, proof: Proving) -> Iterator[Retaining]:
    """January is exported, and dropped."""
    with retaining(azurite.connection_string, unique_name, proof) as months:
        months.retain()
        months.wait()
        months.retain()
        yield months


def test_a_file_that_is_not_the_month_as_it_was_is_not_proven(months: Retaining) -> None:
    good, lines = months.file, months.lines
    for content, reason in (
        (b"", "no event"),
        (b"not gzip", "not gzip"),
        (good[:-9], "not all of it"),
        (good + b"more", "not gzip"),
        (gzip.compress(bytes(2**21)), "Line 1 "),
        (packed(lines)[:-1] + b"?", "not gzip"),
        (gzip.compress(b"\n".join(lines)), f"Line {EVENTS} "),
        (packed([b"[]", *lines]), "Line 1 "),
        (packed([with_time(lines[0], "0001-01-01T00:00:00+23:00")]), "Line 1 "),
        (packed([with_time(lines[0], "2031-01-01T00:00:00Z")]), "no event in 2031-01"),
        (packed(lines[1:]), "Event 1 does not follow"),
        (packed(lines[:-1]), f"ends before event {EVENTS}"),
        (packed([*lines, lines[-1]]), "more than the events"),
        (packed([*lines[:3], lines[4], lines[3], *lines[5:]]), "Event 4 does not follow"),
        (packed(changed(lines, at=EVENTS // 2)), "Event 1: 2030-01-14 is not the day"),
        (packed([with_time(lines[0], "2030-01-31T12:00:00Z"), *lines[1:]]), "not of 2030-01-14"),
    ):
        with pytest.raises(SealConflict, match=reason):
            months.months.prove(iter([content]))

    other = months.months.prove([bytes([each]) for each in packed(lines)])
    assert (other.events, other.is_recorded) == (EVENTS, other.sha256 == months.prove().sha256)
    seal = "2030/01/2030-01-31.json"
    months.proof.container.delete_blob(seal)
    with pytest.raises(SealConflict, match="not the one that is kept outside"):
        months.prove()


def packed(lines: list[bytes]) -> bytes:
    return gzip.compress(b"".join(line + b"\n" for line in lines))


def with_time(line: bytes, recorded_at: str) -> bytes:
    return json.dumps(json.loads(line) | {"recorded_at": recorded_at}).encode()


def changed(lines: list[bytes], at: int) -> list[bytes]:
    """One event of a day changed, and all after it in its shard, so that they follow each other."""
    events = [KeptEvent.read(line.decode()).event for line in lines]
    latest: dict[int, str] = {}
    written: list[bytes] = []
    for event in events:
        forged: AuditEvent = event.model_copy(
            update={"previous": latest.get(event.shard, event.previous)}
            | ({"actor": "key:other"} if event.number == at else {})
        )
        written.append(forged.canonical)
        latest[event.shard] = event_hash(forged.canonical).hex()
    return written


def test_commands_end_the_trail_and_prove_what_it_was(
    command: Command, months: Retaining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = months.proof
    monkeypatch.setenv("REGISTRY_AUDIT_TABLE", proof.trail.prefix)
    monkeypatch.setenv("REGISTRY_AUDIT_SEAL_CONTAINER", proof.container.container_name)
    monkeypatch.setenv("REGISTRY_AUDIT_EARLIER_KEYS", json.dumps([proof.keys.key_id]))
    monkeypatch.setenv("REGISTRY_AUDIT_EXPORT_CONTAINER", months.container.container_name)
    file = tmp_path / "2030-01.jsonl.gz"
    file.write_bytes(months.file)

    told = command("audit", "verify", "--export", str(file), "-o", "json")
    assert told.exit_code == 0, told.stderr
    said = json.loads(told.stdout)
    assert (said["month"], said["events"], said["is_recorded"]) == ("2030-01-01", EVENTS, True)
    file.write_bytes(months.file[:-1])
    told = command("audit", "verify", "--export", str(file))
    assert (told.exit_code, "not all of it is there" in told.stderr) == (1, True)
    told = command("audit", "verify", "--export", str(file), "--start", "2030-01-01")
    assert told.exit_code == 2
    assert command("audit", "verify", "--export", str(tmp_path / "none")).exit_code == 2

    told = command("audit", "verify", "--exports", "-o", "json")
    assert [proven["month"] for proven in json.loads(told.stdout)] == ["2030-01-01"]
    months.put(packed(months.lines))  # as good, and another one
    told = command("audit", "verify", "--exports")
    assert (told.exit_code, told.stderr) == (
        1,
        f"error: {FILE}: The file is not the one that was recorded.\n",
    )
    months.container.delete_blob(FILE)
    told = command("audit", "verify", "--exports")
    assert (told.exit_code, told.stderr) == (1, f"error: {FILE}: The file holds no event.\n")

    # By the clock of the machine, nothing of these months is over.
    monkeypatch.setenv("REGISTRY_AUDIT_KEEP_MONTHS", "1")
    told = command("audit", "retain", "-o", "json")
    assert json.loads(told.stdout) == {"exported": 0, "dropped": 0, "refused": 0}
