"""Months of the audit trail are exported before they are dropped, and not before their time."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import AccountSasPermissions, ResourceTypes, generate_account_sas
from azure.functions.timer import TimerRequest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from functions import audit_timers
from shared.database.pool import Database
from shared.models.audit_queries import AuditFilter
from shared.models.audit_retention import KeepingTime, Retained
from shared.repositories.trail_retention import TrailRetentionRepository
from shared.services import audit_retention
from shared.services.audit_exported import ExportedMonths
from shared.services.audit_trail import AuditTrailService
from shared.services.audit_verification import AuditVerifier
from shared.storage.audit_table import AuditTable
from shared.storage.kept_blobs import KeptBlobs
from tests.integration.clock import TickingClock
from tests.integration.proving import Proving, forged, proving
from tests.integration.retaining import (
    EVENTS,
    FILE,
    JANUARY,
    ORIGIN,
    Retaining,
    left_in,
    retaining,
)

Sql = psycopg.Connection[DictRow]


@pytest.fixture
def proof(
    azurite: Azurite, unique_name: str, database: Database, sql: Sql, clock: TickingClock
) -> Iterator[Proving]:
    with proving(azurite.connection_string, unique_name, database, sql, clock) as proof:
        yield proof


@pytest.fixture
def months(azurite: Azurite, unique_name: str, proof: Proving) -> Iterator[Retaining]:
    with retaining(azurite.connection_string, unique_name, proof) as months:
        yield months


def test_a_month_is_exported_and_dropped_a_day_later(
    months: Retaining, proof: Proving, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_timers, "trail_retention", months.retention)
    run: Any = SimpleNamespace(function_name="keep_audit_months", invocation_id="some invocation")
    keep_audit_months = audit_timers.keep_audit_months.build().get_user_function()
    hashes = [row["hash"] for row in sql.execute("SELECT hash FROM registry.trail ORDER BY number")]
    kept = [each["event_id"] for each in proof.trail.events("day")]

    keep_audit_months(TimerRequest(), run)
    assert [hashlib.sha256(line).digest() for line in months.lines] == hashes[:EVENTS]
    told = (FILE, EVENTS, hashlib.sha256(months.file).hexdigest(), None)
    assert months.rows("exported_to", "events", "sha256", "dropped_at") == [told]

    keep_audit_months(TimerRequest(), run)
    assert months.rows("dropped_at") == [(None,)]
    assert len(proof.trail.table.months()) == 3
    months.wait()
    keep_audit_months(TimerRequest(), run)
    assert proof.trail.table.months()[-1] == date(2030, 2, 1)
    assert list(left_in(proof)) == list(range(EVENTS + 1, 2 * EVENTS + 1))

    proven = months.prove()
    assert (proven.month, proven.events, proven.days) == (JANUARY, EVENTS, 2)
    assert proven.is_recorded
    found = proof.verify()
    assert (found.is_whole, found.dropped_days, found.sealed_days) == (True, 2, 3)
    trail = AuditTrailService(proof.database, proof.trail.table)
    page = trail.query_audit_trail(AuditFilter())
    assert [event.event_id for event in page.events] == kept[: EVENTS - 1 : -1]

    proof.relay.relay(60)
    assert [told_of(event) for event in proof.trail.events("day")[-2:]] == [
        ("audit_month_exported", "export", ORIGIN.actor, "2030-01"),
        ("audit_month_dropped", "drop", ORIGIN.actor, "2030-01"),
    ]
    assert months.retain() == Retained()


def told_of(event: dict[str, Any]) -> tuple[str, ...]:
    return event["operation"], event["action"], event["actor"], event["details"]["month"]


def test_a_month_stays_until_its_time_is_over_and_all_of_it_is_sealed(
    months: Retaining, proof: Proving, sql: Sql
) -> None:
    for_ever, longer, younger = (
        KeepingTime(1, None),
        KeepingTime(1, 2),
        KeepingTime(47, 1),  # its last event is of 31 January: its day ended 47 days ago
    )
    for keeping in (for_ever, longer, KeepingTime(48, 1)):
        assert months.retain(keeping) == Retained()
    sql.execute(
        "UPDATE registry.trail_days SET seal = NULL, sealed_at = NULL WHERE day >= '2030-01-31'"
    )
    assert months.retain() == Retained()
    months.seal()
    assert months.retain(younger) == Retained(exported=1)

    months.wait()
    for keeping in (for_ever, longer, KeepingTime(49, 1)):  # what is exported may stay as well
        assert months.retain(keeping) == Retained()
    assert months.retain() == Retained(dropped=1)
    months.wait()
    assert months.retain(KeepingTime(1, 0)) == Retained(
        exported=1
    )  # February; the rest is of today


def test_what_does_not_verify_is_neither_exported_nor_dropped(
    months: Retaining, proof: Proving, caplog: pytest.LogCaptureFixture
) -> None:
    copy = proof.entity(2, "artifact")
    proof.put(forged(copy, actor="key:other"))
    assert months.retain() == Retained(refused=1)
    assert months.names == []
    assert (
        "audit month kept: month=2030-01 reason=The month does not verify: event 2:" in caplog.text
    )
    proof.relay.relay(60)
    refused = proof.trail.events("day")[-1]
    assert told_of(refused) == ("audit_month_exported", "export", ORIGIN.actor, "2030-01")
    assert refused["error"].startswith("seal-conflict: The month does not verify")

    proof.put(copy)
    months.container.create_container()
    months.put(b"of somebody else")
    assert months.retain() == Retained(refused=1)
    months.container.delete_blob(FILE)
    assert months.retain() == Retained(exported=1)

    months.wait()
    good = months.file
    months.put(good[:-5])
    assert months.retain() == Retained(refused=1)
    months.put(good + bytes(1))  # as good, and another one
    assert months.retain() == Retained(refused=1)
    months.container.delete_blob(FILE)
    assert months.retain() == Retained(refused=1)
    months.put(good)
    proof.remove(copy)
    assert months.retain() == Retained(refused=1)
    assert len(proof.trail.table.months()) == 3
    proof.put(copy)
    assert months.retain() == Retained(dropped=1)


def test_where_nobody_may_delete_a_month_stays_and_is_read_as_before(
    months: Retaining, proof: Proving, sql: Sql, azurite: Azurite, caplog: pytest.LogCaptureFixture
) -> None:
    without_delete = AuditTable(without_deleting(azurite), proof.trail.prefix)
    assert months.retention(without_delete).retain(60, ORIGIN) == Retained(exported=1)
    months.wait()
    assert months.retention(without_delete).retain(60, ORIGIN) == Retained(refused=1)
    assert "does not let us delete" in caplog.text
    assert months.rows("dropped_at", "removed_at") == [(None, None)]
    found = proof.verify()
    assert (found.is_whole, found.events, found.dropped_days) == (True, 2 * EVENTS, 0)

    proof.trail.table.drop(JANUARY)  # by somebody who may, once the month is proven
    sql.execute("UPDATE registry.trail_months SET dropped_at = now()")
    assert months.retention(without_delete).retain(60, ORIGIN) == Retained(dropped=1)
    assert proof.verify().is_whole


def without_deleting(azurite: Azurite) -> str:
    signature = generate_account_sas(
        AzureNamedKeyCredential(azurite.account, azurite.account_key),
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, list=True, add=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    endpoint = f"http://127.0.0.1:{azurite.ports[2]}/{azurite.account}"
    return f"TableEndpoint={endpoint};SharedAccessSignature={signature}"


class Died(Exception):
    """Instead of a process."""


Seam = tuple[object, str, bool]
EXPORTING: list[Seam] = [
    (AuditVerifier, "verify", True),
    (KeptBlobs, "keep", False),
    (KeptBlobs, "keep", True),
    (ExportedMonths, "prove", True),
    (TrailRetentionRepository, "record_export", False),
    (TrailRetentionRepository, "record_export", True),
]
DROPPING: list[Seam] = [
    (TrailRetentionRepository, "begin_drop", False),
    (TrailRetentionRepository, "begin_drop", True),
    (AuditTable, "drop", False),
    (AuditTable, "drop", True),
    (TrailRetentionRepository, "remove_digests", True),
    (TrailRetentionRepository, "end_drop", False),
    (TrailRetentionRepository, "end_drop", True),
]
"""What it comes to, and whether it dies afterwards, in the order of its way."""
WHOLE_WAY = (EXPORTING, DROPPING)
SOME_OF_IT = (
    [(KeptBlobs, "keep", True), (TrailRetentionRepository, "record_export", True)],
    [
        (TrailRetentionRepository, "begin_drop", True),
        (AuditTable, "drop", True),
        (TrailRetentionRepository, "remove_digests", True),
        (TrailRetentionRepository, "end_drop", True),
    ],
)


@pytest.mark.parametrize(
    ("exporting", "dropping"),
    [
        pytest.param(*SOME_OF_IT, id="some"),
        pytest.param(*WHOLE_WAY, id="all", marks=pytest.mark.long),
    ],
)
def test_whoever_dies_between_any_two_steps_loses_nothing_and_doubles_nothing(
    months: Retaining,
    proof: Proving,
    sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
    exporting: list[Seam],
    dropping: list[Seam],
) -> None:
    monkeypatch.setattr(audit_retention, "_REMOVED_AT_ONCE", 5)
    lines = [each["event_id"] for each in proof.trail.events("day")]
    for seam in exporting:
        die_at(seam, months.retain)
        assert (len(proof.trail.entities_of("day")), proof.verify().is_whole) == (len(lines), True)
    months.wait()
    for seam in dropping:
        die_at(seam, months.retain)
        assert months.prove().is_recorded
        assert proof.verify().is_whole
    assert months.retain() == Retained()

    assert list(left_in(proof)) == list(range(EVENTS + 1, 2 * EVENTS + 1))
    assert (months.names, len(months.lines)) == ([FILE], EVENTS)
    operations = sql.execute("SELECT operation FROM registry.outbox ORDER BY position").fetchall()
    assert [row["operation"] for row in operations] == [
        "audit_month_exported",
        "audit_month_dropped",
    ]


def die_at(seam: Seam, run: Callable[[], Retained]) -> None:
    owner, name, is_after = seam
    real = getattr(owner, name)

    def dying(*arguments: Any, **named: Any) -> None:
        if is_after:
            real(*arguments, **named)
        raise Died

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, dying)
        with pytest.raises(Died):
            run()
