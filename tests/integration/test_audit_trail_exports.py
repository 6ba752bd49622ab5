"""Exports of the audit trail, and counts of what failed."""

# pyarrow carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pyarrow.parquet
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import BlobNotFound, InvalidInput
from shared.models.audit import AuditEvent
from shared.models.audit_exports import ExportFormat
from shared.models.audit_queries import AuditFilter
from shared.models.blobs import BlobReference
from shared.services import audit_export, audit_walk
from shared.services.audit_export import COLUMNS
from shared.services.audit_trail import AuditTrailService
from shared.services.trail_relay import TrailRelay
from shared.storage.blobs import BlobStore
from shared.storage.new_files import new_blob, new_file
from tests.integration.audit_reading import DAYS, keep, keep_history
from tests.integration.auditing import Trail, own_trail
from tests.integration.clock import TickingClock
from tests.integration.kept_history import Kept, kept_once
from tests.integration.uploads import Uploads

Sql = psycopg.Connection[DictRow]
long = pytest.mark.long
ALL = AuditFilter()
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "'=1", "＝1"]  # noqa: RUF001
"""What a spreadsheet runs, or takes for what was kept from that."""
DETAILS = {"text": 'a "quoted", =text\n', "number": 1.5, "whole": 10**20, "none": None}


@pytest.fixture
def trail(azurite: Azurite, unique_name: str) -> Iterator[Trail]:
    with own_trail(azurite.connection_string, unique_name) as trail:
        yield trail


@pytest.fixture
def relay(database: Database, trail: Trail, clock: TickingClock) -> TrailRelay:
    return TrailRelay(database, trail.table, clock)


@pytest.fixture
def reader(database: Database, trail: Trail) -> AuditTrailService:
    return AuditTrailService(database, trail.table)


def keep_odd(sql: Sql, relay: TrailRelay, clock: TickingClock) -> None:
    """Events whose texts are of the worst."""
    clock.now = DAYS[0]
    for text in FORMULAS:
        keep(sql, text, artifact_id=uuid4(), actor=text, details=DETAILS, error=text)
    keep(sql, "plain", run_id=uuid4(), request_id="r")
    relay.relay(60)


@pytest.fixture(scope="module")
def odd(postgres: str, template_database: str, azurite: Azurite) -> Iterator[Kept]:
    with kept_once(postgres, template_database, azurite, keep_odd) as odd:
        yield odd


def exported(
    reader: AuditTrailService, form: ExportFormat, path: Path, wanted: AuditFilter = ALL
) -> bytes:
    reader.export_audit_trail(wanted, form, new_file(path))
    return path.read_bytes()


def as_told(event: AuditEvent) -> dict[str, Any]:
    return json.loads(event.canonical)


def test_json_is_one_array_of_all_events(odd: Kept, tmp_path: Path) -> None:
    told = json.loads(exported(odd.reader, ExportFormat.JSON, tmp_path / "a"))
    assert told == [as_told(event) for event in odd.events]
    nothing = exported(odd.reader, ExportFormat.JSON, tmp_path / "a", AuditFilter(actor="nobody"))
    assert nothing == b"[]\n"


def test_the_hash_of_each_line_is_that_of_its_event(odd: Kept, tmp_path: Path) -> None:
    lines = exported(odd.reader, ExportFormat.JSONL, tmp_path / "a").splitlines()
    with odd.database.connection() as connection:
        rows = connection.execute("SELECT hash FROM registry.trail ORDER BY number DESC").fetchall()
    assert [hashlib.sha256(line).digest() for line in lines] == [row["hash"] for row in rows]


def test_no_cell_of_csv_is_one_that_a_spreadsheet_runs(odd: Kept, tmp_path: Path) -> None:
    text = exported(odd.reader, ExportFormat.CSV, tmp_path / "a").decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == COLUMNS
    cells = [cell for row in rows for cell in row if not cell.isdigit()]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(tuple("=+-@\t\r\n＝"))]  # noqa: RUF001
    told = [dict(zip(header, row, strict=True)) for row in rows]
    for row, event in zip(told, odd.events, strict=True):
        assert row["actor"].removeprefix("'") == event.actor
        assert row["error"].removeprefix("'") == (event.error or "")
        assert json.loads(row["details"]) == event.details
        assert (row["number"], row["success"]) == (str(event.number), str(event.success).lower())
        assert row["time"] == as_told(event)["time"]


def test_parquet_has_a_row_for_each_event(odd: Kept, tmp_path: Path) -> None:
    exported(odd.reader, ExportFormat.PARQUET, tmp_path / "a")
    rows = pyarrow.parquet.read_table(tmp_path / "a").to_pylist()
    for row, event in zip(rows, odd.events, strict=True):
        told: dict[str, Any] = as_told(event)
        details = json.loads(row.pop("details"))
        assert details == told.pop("details")
        told |= {"time": event.time, "recorded_at": event.recorded_at}
        assert row == told


@pytest.mark.parametrize(
    ("events", "at_once", "each"), [(60, 10, 100), pytest.param(1300, 1000, 1000, marks=long)]
)
def test_an_export_says_how_far_it_is_and_of_how_many_events_it_is(
    reader: AuditTrailService,
    sql: Sql,
    relay: TrailRelay,
    clock: TickingClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    events: int,
    at_once: int,
    each: int,
) -> None:
    monkeypatch.setattr(audit_walk, "_ENTITIES_AT_ONCE", at_once)
    monkeypatch.setattr(audit_export, "_TOLD_EACH", each)
    keep_history(sql, relay, clock)
    statement = """
        INSERT INTO registry.outbox (occurred_at, operation, actor)
        SELECT now(), 'event', 'key:test' FROM generate_series(1, %s)
    """
    sql.execute(statement, [events])
    relay.relay(60)
    told: list[int] = []
    target = new_file(tmp_path / "a")
    count = events + 48
    assert reader.export_audit_trail(ALL, ExportFormat.JSONL, target, told.append) == count
    assert told == [each, count]
    lines = (tmp_path / "a").read_bytes().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(count, 0, -1))


def test_a_file_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("before")
    with pytest.raises(ZeroDivisionError), new_file(kept) as file:
        file.write(b"%d" % (1 // 0))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("kept", "before")]
    with new_file(kept) as file:
        file.write(b"after")
        assert kept.read_text() == "before"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("after", 0o600)


def test_an_export_becomes_a_blob_but_never_in_the_place_of_another(
    odd: Kept, azurite: Azurite, uploads: Uploads
) -> None:
    reader = odd.reader
    store = BlobStore(azurite.connection_string)
    container = uploads.container.container_name
    blob = BlobReference(store.account, container, "audit/all.jsonl")
    reader.export_audit_trail(ALL, ExportFormat.JSONL, new_blob(store, blob))
    stored = uploads.container.download_blob(blob.path).readall()
    assert [json.loads(line)["number"] for line in stored.splitlines()] == [
        event.number for event in odd.events
    ]
    with pytest.raises(InvalidInput, match="already"):
        reader.export_audit_trail(
            AuditFilter(success=True), ExportFormat.CSV, new_blob(store, blob)
        )
    assert uploads.container.download_blob(blob.path).readall() == stored
    nowhere = BlobReference(store.account, f"{container}-none", "x")
    with pytest.raises(BlobNotFound):
        reader.export_audit_trail(ALL, ExportFormat.CSV, new_blob(store, nowhere))


def test_what_failed_is_counted_by_operation_and_by_reason(
    reader: AuditTrailService, sql: Sql, relay: TrailRelay, clock: TickingClock
) -> None:
    keep_history(sql, relay, clock)
    keep(sql, "hold_placed", DAYS[3], error="invalid-input: No.")
    relay.relay(60)
    summary = reader.get_error_summary()
    assert summary.model_dump() == {
        "total_errors": 9,
        "errors_by_operation": {"status_update": 8, "hold_placed": 1},
        "errors_by_reason": {"artifact-held": 8, "invalid-input": 1},
        "next": None,
    }
    assert reader.get_error_summary(DAYS[1], DAYS[3]).errors_by_operation == {"status_update": 4}
    assert reader.get_error_summary(end=DAYS[0]).total_errors == 0


def test_counts_of_parts_add_up_and_rare_reasons_are_counted_together(
    database: Database, trail: Trail, sql: Sql, relay: TrailRelay
) -> None:
    for number in range(105):
        keep(sql, "tried", error=f"reason-{number}: No.")
        keep(sql, "tried", error="usual")
    relay.relay(60)
    whole = AuditTrailService(database, trail.table).get_error_summary()
    assert len(whole.errors_by_reason) == 101
    assert (whole.errors_by_reason["usual"], whole.errors_by_reason["others"]) == (105, 6)
    parts = AuditTrailService(database, trail.table, effort=50)
    counts: list[int] = []
    cursor = None
    while not counts or cursor:
        part = parts.get_error_summary(cursor=cursor)
        counts.append(part.total_errors)
        cursor = part.next
    assert (sum(counts), max(counts)) == (210, 50)
