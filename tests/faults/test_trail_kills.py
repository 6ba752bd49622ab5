"""Whoever moves events into the audit trail is killed anywhere: each comes into it, and once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.services.trail_relay import TrailRelay
from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.processes import die_at
from tests.faults.sizes import sized
from tests.faults.trail_killing import POINTS, relay_until
from tests.integration.auditing import Trail, assert_whole, own_trail, write_event
from tests.integration.conftest import database

__all__ = ["database"]  # a fixture that is asked for by its name

LEFT_ALONE = timedelta(minutes=2)
"""Longer than whoever writes keeps others away."""
SINGLE = 2
TOGETHER = 3


def write_some(sql: psycopg.Connection[DictRow]) -> dict[UUID, int]:
    """Events of artifacts that have one each, and of one that has several: batches, and single."""
    several = uuid4()
    artifacts = dict.fromkeys((uuid4() for _ in range(SINGLE)), 1) | {several: TOGETHER}
    for artifact_id, count in artifacts.items():
        for _ in range(count):
            write_event(sql, "some", artifact_id)
    write_event(sql, "of_no_artifact")
    return artifacts


FEW = [
    "after locking the end",
    "while numbering",
    "while committing numbers",
    "after keeping others away",
    "before a batch",
    "after a batch",
    "after a single insert",
    "while forgetting",
    "after letting others in",
]


@pytest.mark.parametrize(("points", "turns"), sized((FEW, 1), (list(POINTS), 20)))
def test_relays_that_are_killed_at_every_point_of_the_way_write_everything_once(
    place: Place,
    database: Database,
    azurite: Azurite,
    sql: psycopg.Connection[DictRow],
    tally: Tally,
    points: list[str],
    turns: int,
) -> None:
    now = datetime.now(UTC)
    written: dict[UUID, int] = {}
    with own_trail(azurite.connection_string, place.name) as trail:
        for _ in range(turns):
            for point in points:
                written |= write_some(sql)
                die_at(point, relay_until, place, trail.prefix, now)
                now += LEFT_ALONE
        died = now
        TrailRelay(database, trail.table, lambda: died).relay(600)
        count = turns * len(points) * (SINGLE + TOGETHER + 1)
        assert_whole(trail, sql, count)
        assert told_of_artifacts(trail) == written
    tally(kills=turns * len(points), points=len(points), events=count, doubled=0, lost=0)


def told_of_artifacts(trail: Trail) -> dict[UUID, int]:
    told: dict[UUID, int] = {}
    for event in trail.events("artifact"):
        told[event["artifact_id"]] = told.get(event["artifact_id"], 0) + 1
    return told
