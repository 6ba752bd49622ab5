"""What a simulation says is what running the policy does, whether it ran or not."""

from collections.abc import Iterator
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from tests.integration.clock import TickingClock
from tests.integration.replaying import QUIET, RUN, Step, Twins

ACTED_AT_LEAST = 0.3
"""Artifacts that were acted on, of each history, on the whole."""
ACTIONS = ["register"] * 8 + ["archive", "delete", "delete", "hold", "hold asset"] + ["release"] * 3
CLOCKS = {
    "archive": ["created", "superseded", "archived"],
    "delete": ["created", "superseded", "archived"],
    "expire": ["expires"],
    "purge": ["deleted"],
}
SELECTORS: list[dict[str, Any]] = [
    {},
    {},
    {"min_size_bytes": 4},
    {"status": "active"},
    {"status": "superseded"},
]


def drawn_policy(chance: Random, kind: str) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "name": kind,
        "kind": kind,
        "clock": chance.choice(CLOCKS[kind]),
        "age": chance.choice(["P0DT3H", "P10DT3H", "P40DT3H"]),
        # A status that is none of the deleted ones would leave a purge nothing to do.
        "selector": chance.choice(SELECTORS[:3] if kind == "purge" else SELECTORS),
    }
    if kind in {"archive", "delete"}:
        policy["keep_last"] = chance.choice([0, 0, 1, 2])
    if kind == "archive":
        policy["target_tier"] = chance.choice(["Cool", "Archive"])
    return policy


def drawn_steps(chance: Random, policy: dict[str, Any]) -> Iterator[Step]:
    for _ in range(chance.randrange(8, 20)):
        action = chance.choice(ACTIONS)
        # What people delete changes which are the newest, for policies that keep these.
        if not (policy.get("keep_last") and action == "delete"):
            yield action, chance.randrange(4), chance.randrange(4), chance.choice([1, 3, 8])


@pytest.mark.parametrize("histories", [8, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", CLOCKS)
def test_a_simulation_tells_what_a_run_does(
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
    kind: str,
    histories: int,
) -> None:
    acted = 0
    for seed in range(histories):
        empty(sql)
        chance = Random(seed)  # noqa: S311 - no secret
        policy = drawn_policy(chance, kind)
        twins = Twins(database, artifacts, clock, policy)
        for step in drawn_steps(chance, policy):
            twins.step(step)
        for twin in (RUN, QUIET):
            days, told_bytes = twins.told(twin)
            assert days == twins.acted, (seed, twin, policy)
            assert told_bytes == twins.bytes, (seed, twin, policy)
        acted += len(twins.acted)
    assert acted >= ACTED_AT_LEAST * histories


def empty(sql: psycopg.Connection[DictRow]) -> None:
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        sql.execute("TRUNCATE registry.artifacts, registry.assets, registry.holds CASCADE")
