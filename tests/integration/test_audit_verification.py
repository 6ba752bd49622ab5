"""Whatever is changed in the audit trail's table, verifying it finds it and names the event."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.audit_proof import AuditProof, Fault, ProofProgress, Reason
from shared.services.audit_verification import AuditVerifier
from tests.integration.auditing import write_event
from tests.integration.clock import TickingClock
from tests.integration.proving import FIRST_DAY, Proving, proving
from tests.integration.tampering import TAMPERINGS

Sql = psycopg.Connection[DictRow]
A_DAY = timedelta(days=1)


@pytest.fixture
def proof(
    azurite: Azurite, unique_name: str, database: Database, sql: Sql, clock: TickingClock
) -> Iterator[Proving]:
    with proving(azurite.connection_string, unique_name, database, sql, clock) as proof:
        yield proof


@pytest.fixture
def sealed(proof: Proving) -> Proving:
    """Four days of ten events in two months, three of them sealed."""
    proof.live(days=4, events=10)
    proof.seals.seal_days(60)
    return proof


def first_bad(found: AuditProof) -> Fault:
    assert not found.is_whole
    assert found.first_bad is not None
    return found.first_bad


def test_a_trail_that_nobody_touched_is_whole(sealed: Proving) -> None:
    found = sealed.verify()
    assert found == AuditProof(
        is_whole=True,
        first_bad=None,
        faults={},
        first_number=1,
        last_number=40,
        events=40,
        copies=27,
        days=4,
        sealed_days=3,
        dropped_days=0,
        key_id=sealed.keys.key_id,
    )


def test_so_is_one_without_events(proof: Proving) -> None:
    found = proof.verify()
    assert (found.is_whole, found.events, found.last_number) == (True, 0, None)


def test_days_can_be_verified_alone(sealed: Proving) -> None:
    found = sealed.verify(FIRST_DAY + A_DAY, FIRST_DAY + 2 * A_DAY)
    assert (found.is_whole, found.first_number, found.last_number) == (True, 11, 30)
    assert (found.events, found.copies, found.days) == (20, 13, 2)


def test_days_that_are_not_sealed_yet_bring_those_before_them_along(proof: Proving) -> None:
    proof.live(days=3, events=4)
    found = proof.verify(FIRST_DAY + 2 * A_DAY)
    assert (found.is_whole, found.first_number, found.events) == (True, 1, 12)


def test_it_tells_how_far_it_is(sealed: Proving) -> None:
    told: list[ProofProgress] = []
    verifier = AuditVerifier(sealed.database, sealed.trail.table, sealed.kept, sealed.keys)
    verifier.verify(progress=told.append)
    assert told[-1] == (FIRST_DAY + 3 * A_DAY, 40, 40)
    assert [each.events for each in told] == sorted(each.events for each in told)


@pytest.mark.parametrize("layout", ["day", "artifact"])
@pytest.mark.parametrize("kind", TAMPERINGS)
@pytest.mark.parametrize("number", [1, 40])
def test_what_is_changed_is_found_and_named(
    sealed: Proving, kind: str, layout: str, number: int
) -> None:
    chance = Random(f"{kind} {layout} {number}")  # noqa: S311 - the same choices every time
    entity, other = sealed.entity(number, layout), sealed.entity(number % 40 + 1, "day")
    if kind == "swap":
        other = sealed.entity(number + 1 if number < 40 else 38, layout)
    undo, reasons = TAMPERINGS[kind](sealed, entity, other, chance)

    bad = first_bad(sealed.verify())
    assert bad.reason in reasons
    assert kind in {"swap", "insert"} or bad.number == number

    undo()
    assert sealed.verify().is_whole


@pytest.mark.parametrize("kept", [0, 1, 25, 39])
def test_a_trail_that_is_cut_off_is_named_where_it_ends(sealed: Proving, kept: int) -> None:
    for layout in ("day", "artifact"):
        for entity in sealed.trail.entities_of(layout):
            if int(entity["Operation"].removeprefix("event_")) > kept:
                sealed.remove(entity)
    bad = first_bad(sealed.verify())
    assert (bad.number, bad.reason) == (kept + 1, Reason.MISSING)


def test_a_month_whose_table_is_gone_is_named_by_its_first_event(sealed: Proving) -> None:
    sealed.trail.table.drop(date(2030, 2, 1))
    bad = first_bad(sealed.verify())
    assert (bad.number, bad.reason) == (21, Reason.MISSING)


def test_a_table_of_a_month_that_never_was_is_found(sealed: Proving) -> None:
    entity = sealed.entity(7)
    sealed.trail.table.insert(date(2029, 5, 1), [entity])
    bad = first_bad(sealed.verify())
    assert bad.reason is Reason.INSERTED


def test_what_hides_events_from_a_verification_is_no_help(sealed: Proving, sql: Sql) -> None:
    """A table that no month has; a type that Python takes for the same; a row that waits."""
    other = sealed.trail.service.get_table_client(f"{sealed.trail.prefix}203013")
    other.create_table()  # pyright: ignore[reportUnknownMemberType]
    assert sealed.verify().is_whole
    entity = sealed.entity(5)
    sealed.put(entity | {"Success": 1})
    assert first_bad(sealed.verify())[:2] == (5, Reason.EDITED)
    sql.execute("INSERT INTO registry.trail_waiting VALUES (1, '{}')")
    assert first_bad(sealed.verify())[:2] == (5, Reason.EDITED)


def test_a_day_that_ends_meanwhile_and_a_month_that_goes_are_no_fault(
    sealed: Proving, sql: Sql
) -> None:
    sealed.clock.now = datetime(2030, 2, 3, 23, 59, 50, tzinfo=UTC)
    write_event(sql, "in_flight")
    sealed.relay.number_some()

    def end_the_day(_: ProofProgress) -> None:
        sealed.relay.relay(60)
        sealed.clock.now = datetime(2030, 2, 4, 0, 20, tzinfo=UTC)
        sealed.seals.seal_days(60)

    def drop_the_month(_: ProofProgress) -> None:
        sql.execute("""
            INSERT INTO registry.trail_months
                (month, exported_to, exported_at, events, sha256, dropped_at)
            VALUES ('2030-02-01', 'somewhere', now(), 21, '', now()) ON CONFLICT DO NOTHING
        """)
        sealed.trail.table.drop(date(2030, 2, 1))

    verifier = AuditVerifier(sealed.database, sealed.trail.table, sealed.kept, sealed.keys)
    found = verifier.verify(progress=end_the_day)
    assert (found.is_whole, found.last_number) == (True, 40)
    found = verifier.verify(progress=drop_the_month)
    assert (found.is_whole, found.events, found.dropped_days) == (True, 20, 3)


def test_what_is_written_meanwhile_is_no_fault(sealed: Proving, sql: Sql) -> None:
    write_event(sql, "waiting")
    sealed.relay.number_some()
    assert sealed.verify().last_number == 40

    # Some are written while the verification is under way: it reads what is there after its look.
    def write_more(_: ProofProgress) -> None:
        write_event(sql, "meanwhile", sealed.entity(1)["Artifact"])
        sealed.relay.relay(60)

    verifier = AuditVerifier(sealed.database, sealed.trail.table, sealed.kept, sealed.keys)
    found = verifier.verify(progress=write_more)
    assert (found.is_whole, found.last_number, found.events) == (True, 40, 40)
    assert sealed.verify().events > 41
