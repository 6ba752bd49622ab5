"""Whoever runs policies, or does what they want, is killed anywhere: all is done, and once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from devhost.stack.azurite import Azurite
from shared.models.artifacts import Artifact
from tests.end_to_end.waiting import wait_for
from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.policy_killing import (
    ASKING,
    BASES,
    ENDING,
    TICKING,
    UNCOUNTED,
    Ground,
    acting_on,
    points_of,
    run_until,
)
from tests.faults.processes import die_at
from tests.faults.registered import Rows, assert_whole
from tests.faults.sizes import sized
from tests.integration.conftest import clock, database
from tests.integration.policing import DAY, ORIGIN, QUEUE, Policing, policing

__all__ = ["clock", "database", "policing"]  # fixtures that are asked for by their names

DUE = 3
"""More than a message names that a dying tick sends."""
SENT_AGAIN = timedelta(hours=1)
AHEAD = timedelta(minutes=1)
"""The clock of a dead process was ahead, by so much at most."""

DONE = {"archive": "archived", "purge": "purged", "delete": "deleted"}
TIERS = {"archive": "Cool", "purge": None, "delete": "Hot"}
"""Where the bytes lie in the end of what was acted on."""

GONE = "gone already"

_RUNS = """
SELECT run_id::text, selected, acted, bytes, refused, errors, ended_at IS NOT NULL AS has_ended
FROM registry.policy_runs
"""
_TOLD = """
SELECT artifact_id, details ->> 'policy_run' AS run_id, details ->> 'bytes' AS bytes
FROM registry.outbox
WHERE operation = %s AND success AND details ? 'policy_run'
"""


@dataclass
class Killed:
    """One registry whose processes are killed, one after the other."""

    policing: Policing
    place: Place
    kind: str
    due: list[Artifact] = field(default_factory=list[Artifact])
    kills: int = 0
    left_undone: int = 0
    ahead_at_store: int = 0

    def kill_at(self, point: str, turn: int) -> None:
        """Make something due, have whoever comes to the point die there, and let others go on."""
        due = self.make_due(f"{turn}/{point}")
        if point not in ASKING:
            assert self.policing.runs.start_due() == 1
            if point not in TICKING:
                assert self.policing.runs.advance() == 1
        self.die_at(*([UNCOUNTED] if point in ENDING else []), point)
        self.look_at(due)
        if turn % 2:  # what the dead one held comes before its claims are sent again
            self.policing.ask(*due)
        is_lost = point not in TICKING and point not in ENDING
        self.policing.clock.now += AHEAD + (SENT_AGAIN if is_lost else timedelta())
        wait_for(f"the end of the run: {point}", self.go_on)
        self.policing.ask(*due)
        self.policing.queue.clear_messages()  # what dead ones hold, too

    def make_due(self, asset: str) -> list[Artifact]:
        """Artifacts to be acted on now, and a newer one of the same asset, to be left alone."""
        names = [f"{asset}/{number}" for number in range(DUE + 1)]
        *due, _ = [self.policing.upload(name, name.encode(), asset=asset) for name in names]
        if self.kind == "purge":
            for each in due:
                self.policing.artifacts.mark_deleted(each.artifact_id)
        self.policing.clock.now += 100 * DAY
        self.due += due
        return due

    def die_at(self, *points: str) -> None:
        container = self.policing.uploads.container.container_name
        for point in points:
            ground = Ground(self.place, container, self.kind, self.policing.clock.now)
            die_at(point, run_until, ground)
            self.kills += 1

    def look_at(self, due: Sequence[Artifact]) -> None:
        """Count what is not recorded as done, and what of it the store has done."""
        left = [each for each in due if self.policing.state(each) != DONE[self.kind]]
        tiers = self.tiers(beside=due[0])
        self.left_undone += len(left)
        self.ahead_at_store += sum(tiers.get(each.blob_path or "") != "Hot" for each in left)

    def go_on(self) -> bool:
        """As other processes do, by a tick and by what was sent: whether the run has ended."""
        self.policing.runs.advance()
        for body in self.policing.sent():
            self.policing.actions.take(QUEUE, body, ORIGIN)
        return self.policing.latest().ended_at is not None

    def tiers(self, beside: Artifact | None = None) -> dict[str, str]:
        """Of the blobs that are there, by name: of all, or of one folder."""
        folder = beside and f"{beside.client_refs['name']}/"
        blobs = self.policing.uploads.container.list_blobs(name_starts_with=folder)
        return {blob.name: blob.blob_tier or "" for blob in blobs}


def assert_done_once(killed: Killed) -> None:
    """Everything that was due, and nothing else, in the record and at the store."""
    told = killed.policing.sql.execute(_TOLD, ["status_update"]).fetchall()
    due = [each.artifact_id for each in killed.due]
    assert Counter(row["artifact_id"] for row in told) == dict.fromkeys(due, 1)
    assert {killed.policing.state(each) for each in killed.due} == {DONE[killed.kind]}
    tiers = killed.tiers()
    lie = [tiers.pop(each.blob_path or "", None) for each in killed.due]
    assert Counter(lie) == {TIERS[killed.kind]: len(due)}
    assert Counter(tiers.values()) == {"Hot": len(due) // DUE}, "the newest are left alone"
    if killed.kind == "purge":
        told_gone = sum(row["bytes"] == GONE for row in told)
        assert 0 < told_gone <= killed.ahead_at_store  # one that died committing may have done so
    assert_whole(killed.policing.sql)


def assert_counted(sql: Rows, due: Sequence[Artifact]) -> None:
    """Each run has ended, once, with counts that are those of the events.

    What a dead one removed is gone already for who comes after it, and nobody's bytes.
    """
    sizes = {each.artifact_id: each.size_bytes or 0 for each in due}
    acted: dict[str, list[int]] = {}
    for row in sql.execute(_TOLD, ["status_update"]).fetchall():
        size = 0 if row["bytes"] == GONE else sizes[row["artifact_id"]]
        acted.setdefault(row["run_id"], []).append(size)
    runs = sql.execute(_RUNS).fetchall()
    assert {run.pop("run_id"): run for run in runs} == {
        run_id: {
            "selected": DUE,
            "acted": len(each),
            "bytes": sum(each),
            "refused": {},
            "errors": 0,
            "has_ended": True,
        }
        for run_id, each in acted.items()
    }
    ended = sql.execute(_TOLD, ["policy_run"]).fetchall()
    assert Counter(row["run_id"] for row in ended) == dict.fromkeys(acted, 1)
    assert sql.execute("SELECT * FROM registry.policy_actions").fetchall() == []


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        *sized(("archive", 1), ("archive", 20), of="archive"),
        *sized((), ("purge", 20), of="purge")[1:],
        *sized((), ("delete", 20), of="delete")[1:],  # in between it does what the others do
    ],
)
def test_runs_that_are_killed_at_every_point_of_the_way_act_on_everything_once(
    azurite: Azurite, database_url: str, policing: Policing, tally: Tally, kind: str, times: int
) -> None:
    place = Place(database_url, azurite.connection_string, policing.queue.queue_name)
    killed = Killed(policing, place, kind)
    policing.enforce(BASES[kind])
    # Runs are the same for every kind: one of them is enough each time.
    points = points_of(kind) if times > 1 or kind == "archive" else acting_on(kind)
    for turn in range(times):
        for point in points:
            killed.kill_at(point, turn)
    assert_done_once(killed)
    assert_counted(policing.sql, killed.due)
    assert len(killed.due) == DUE * len(points) * times
    assert killed.left_undone > 0, "the kills were meant to interrupt"
    assert (killed.ahead_at_store > 0) is (kind != "delete")
    tally(
        points=len(points),
        kills=killed.kills,
        left_undone=killed.left_undone,
        ahead_at_store=killed.ahead_at_store,
    )
