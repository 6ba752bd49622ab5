"""A thousand events, and each of them edited, deleted, swapped, followed by another, cut off."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.audit_entities import Entity, key_of, number_in
from shared.models.audit_proof import Fault, Reason
from tests.integration.clock import TickingClock
from tests.integration.proving import FIRST_DAY, Proving, proving
from tests.integration.tampering import TAMPERINGS

DAYS, A_DAY = 20, 50
EVENTS = DAYS * A_DAY
NUMBERS = range(1, EVENTS + 1)
_NAMED_BY_NUMBER = {"edit", "rewrite", "delete"}
"""Where there is one event that was changed."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


@pytest.fixture
def proof(
    azurite: Azurite,
    unique_name: str,
    database: Database,
    sql: psycopg.Connection[DictRow],
    clock: TickingClock,
) -> Iterator[Proving]:
    with proving(azurite.connection_string, unique_name, database, sql, clock) as proof:
        proof.live(DAYS, A_DAY)
        assert proof.seals.seal_days(600) == DAYS - 1
        assert proof.verify().is_whole
        yield proof


def day_of(number: int) -> date:
    return FIRST_DAY + timedelta(days=(number - 1) // A_DAY)


def by_number(proof: Proving, layout: str) -> dict[int, Entity]:
    entities = proof.trail.entities_of(layout)
    return {number_in(key_of(entity).row) or 0: entity for entity in entities}


def first_bad_of(proof: Proving, number: int) -> Fault | None:
    """Of the day alone that the event is on: the whole trail at each place would take hours."""
    return proof.verify(day_of(number), day_of(number)).first_bad


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_each_of_a_thousand_places_is_found(proof: Proving, kind: str) -> None:
    chance = Random(kind)  # noqa: S311 - the same choices every time
    layouts = [by_number(proof, "day"), by_number(proof, "artifact")]
    found = 0
    for number in NUMBERS:
        known = layouts[number % 2 if number in layouts[1] else 0]
        others = [near for near in known if near != number and day_of(near) == day_of(number)]
        undo, reasons = TAMPERINGS[kind](proof, known[number], known[chance.choice(others)], chance)
        bad = first_bad_of(proof, number)
        found += bad is not None and bad.reason in reasons
        assert kind not in _NAMED_BY_NUMBER or (bad is not None and bad.number == number)
        undo()
    print(f"{kind}: {found} of {EVENTS} found")  # noqa: T201 - to be read in the log
    assert found == EVENTS
    assert proof.verify().is_whole


def test_the_trail_cut_off_at_each_of_a_thousand_places_is_found(proof: Proving) -> None:
    layouts = [by_number(proof, "day"), by_number(proof, "artifact")]
    found = 0
    for number in reversed(NUMBERS):
        for known in layouts:
            if number in known:
                proof.remove(known[number])
        bad = first_bad_of(proof, number)
        found += bad is not None and bad[:2] == (number, Reason.MISSING)
    print(f"truncate: {found} of {EVENTS} found")  # noqa: T201 - likewise
    assert found == EVENTS
