"""Whatever is changed in the audit trail's table, verifying it finds it and names the event."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.audit_proof import AuditProof, Fault, ProofProgress, Reason
from shared.services.audit_verification import AuditVerifier
from tests.integration.auditing import write_event
from tests.integration.proving import FIRST_DAY, Proving
from tests.integration.sealed import own_sealed, proof, sealed, sealed_once
from tests.integration.tampering import TAMPERINGS

__all__ = ["own_sealed", "proof", "sealed", "sealed_once"]  # fixtures, asked for by their names

Sql = psycopg.Connection[DictRow]
A_DAY = timedelta(days=1)


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


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_what_is_changed_is_found_and_named(sealed: Proving, kind: str) -> None:
    for number, layout in product([1, 40], ["day", "artifact"]):
        chance = Random(f"{kind} {layout} {number}")  # noqa: S311 - the same choices every time
        entity, other = sealed.entity(number, layout), sealed.entity(number % 40 + 1, "day")
        if kind == "swap":
            other = sealed.entity(number + 1 if number < 40 else 38, layout)
        undo, reasons = TAMPERINGS[kind](sealed, entity, other, chance)

        bad = first_bad(sealed.verify())
        assert bad.reason in reasons, (number, layout)
        assert kind in {"swap", "insert"} or bad.number == number

        undo()
        assert sealed.verify().is_whole


def test_a_trail_that_is_cut_off_is_named_where_it_ends(own_sealed: Proving) -> None:
    left = own_sealed.trail.entities
    for kept in (39, 25, 1, 0):
        for entity in left:
            if int(entity["Operation"].removeprefix("event_")) > kept:
                own_sealed.remove(entity)
        left = own_sealed.trail.entities
        bad = first_bad(own_sealed.verify())
        assert (bad.number, bad.reason) == (kept + 1, Reason.MISSING)


def test_a_month_whose_table_is_gone_is_named_by_its_first_event(own_sealed: Proving) -> None:
    own_sealed.trail.table.drop(date(2030, 2, 1))
    bad = first_bad(own_sealed.verify())
    assert (bad.number, bad.reason) == (21, Reason.MISSING)


def test_a_table_of_a_month_that_never_was_is_found(own_sealed: Proving) -> None:
    entity = own_sealed.entity(7)
    own_sealed.trail.table.insert(date(2029, 5, 1), [entity])
    bad = first_bad(own_sealed.verify())
    assert bad.reason is Reason.INSERTED


def test_what_hides_events_from_a_verification_is_no_help(own_sealed: Proving, sql: Sql) -> None:
    """A table that no month has; a type that Python takes for the same; a row that waits."""
    other = own_sealed.trail.service.get_table_client(f"{own_sealed.trail.prefix}203013")
    other.create_table()  # pyright: ignore[reportUnknownMemberType]
    assert own_sealed.verify().is_whole
    entity = own_sealed.entity(5)
    own_sealed.put(entity | {"Success": 1})
    assert first_bad(own_sealed.verify())[:2] == (5, Reason.EDITED)
    sql.execute("INSERT INTO registry.trail_waiting VALUES (1, '{}')")
    assert first_bad(own_sealed.verify())[:2] == (5, Reason.EDITED)


def test_a_day_that_ends_meanwhile_and_a_month_that_goes_are_no_fault(
    own_sealed: Proving, sql: Sql
) -> None:
    own_sealed.clock.now = datetime(2030, 2, 3, 23, 59, 50, tzinfo=UTC)
    write_event(sql, "in_flight")
    own_sealed.relay.number_some()

    def end_the_day(_: ProofProgress) -> None:
        own_sealed.relay.relay(60)
        own_sealed.clock.now = datetime(2030, 2, 4, 0, 20, tzinfo=UTC)
        own_sealed.seals.seal_days(60)

    def drop_the_month(_: ProofProgress) -> None:
        sql.execute("""
            INSERT INTO registry.trail_months
                (month, exported_to, exported_at, events, sha256, dropped_at)
            VALUES ('2030-02-01', 'somewhere', now(), 21, '', now()) ON CONFLICT DO NOTHING
        """)
        own_sealed.trail.table.drop(date(2030, 2, 1))

    verifier = AuditVerifier(
        own_sealed.database, own_sealed.trail.table, own_sealed.kept, own_sealed.keys
    )
    found = verifier.verify(progress=end_the_day)
    assert (found.is_whole, found.last_number) == (True, 40)
    found = verifier.verify(progress=drop_the_month)
    assert (found.is_whole, found.events, found.dropped_days) == (True, 20, 3)


def test_what_is_written_meanwhile_is_no_fault(own_sealed: Proving, sql: Sql) -> None:
    write_event(sql, "waiting")
    own_sealed.relay.number_some()
    assert own_sealed.verify().last_number == 40

    # Some are written while the verification is under way: it reads what is there after its look.
    def write_more(_: ProofProgress) -> None:
        write_event(sql, "meanwhile", own_sealed.entity(1)["Artifact"])
        own_sealed.relay.relay(60)

    verifier = AuditVerifier(
        own_sealed.database, own_sealed.trail.table, own_sealed.kept, own_sealed.keys
    )
    found = verifier.verify(progress=write_more)
    assert (found.is_whole, found.last_number, found.events) == (True, 40, 40)
    assert own_sealed.verify().events > 41
