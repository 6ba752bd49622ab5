"""Whoever scrubs is killed anywhere: every artifact is read in each round, and told of once."""

from collections import Counter
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.registrations import UNATTRIBUTED
from tests.end_to_end.waiting import wait_for
from tests.faults.conftest import Tally
from tests.faults.killing import BLOB_BYTES
from tests.faults.places import Place
from tests.faults.processes import die_at
from tests.faults.scrub_killing import DAYS, POINTS, scrub_once, scrub_until
from tests.faults.sizes import sized
from tests.integration.clock import TickingClock
from tests.integration.conftest import clock
from tests.integration.uploads import Uploads

__all__ = ["clock"]  # a fixture that is asked for by its name

Sql = psycopg.Connection[DictRow]
ROUND = timedelta(days=DAYS)
SENT_AGAIN = timedelta(hours=1, minutes=1)
NAMES = ("a.tif", "b.tif")
FEW = ["while beginning", "after sending", "in mid reading", "while recording", "after recording"]


@pytest.mark.parametrize(("points", "turns"), sized((FEW, 1), (list(POINTS), 20)))
def test_scrubs_that_are_killed_at_every_point_of_the_way_read_everything_once_a_round(
    place: Place,
    uploads: Uploads,
    sql: Sql,
    clock: TickingClock,
    tally: Tally,
    points: list[str],
    turns: int,
) -> None:
    with place.ingestion() as ingestion:
        for name in NAMES:
            blob = uploads.put(name, name.encode() * (BLOB_BYTES // len(name)))
            ingestion.register_blob(blob, UNATTRIBUTED)
    rounds = 0
    for _ in range(turns):
        for point in points:
            clock.now += ROUND
            rounds += 1
            die_at(point, scrub_until, place, clock.now)
            clock.now += SENT_AGAIN
            go_on = partial(is_done, place, clock, sql, rounds)
            wait_for(f"the end of a round: {point}", go_on)
    told = Counter(row["artifact_id"] for row in verified(sql))
    assert set(told.values()) == {rounds}
    assert len(told) == len(NAMES)
    days = sql.execute("SELECT sum(artifacts) AS looks FROM registry.integrity_days").fetchone()
    assert days == {"looks": rounds * len(NAMES)}
    assert sql.execute("SELECT FROM registry.verifications_due").fetchall() == []
    tally(kills=rounds, points=len(points), artifacts=len(told), doubled=0, lost=0)


def is_done(place: Place, clock: TickingClock, sql: Sql, rounds: int) -> bool:
    """Go on as other processes do: whether all of a round is told."""
    scrub_once(place, clock.now)
    return len(verified(sql)) >= rounds * len(NAMES)


def verified(sql: Sql) -> list[DictRow]:
    return sql.execute(
        "SELECT artifact_id FROM registry.outbox WHERE operation = 'verified'"
    ).fetchall()
