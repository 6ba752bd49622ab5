"""What a simulation says is what running the policy does, whether it ran or not."""

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from tests.integration.clock import TickingClock
from tests.integration.replaying import QUIET, RUN, Step, Twins

ACTIONS = ["register"] * 4 + ["archive", "delete", "hold", "hold asset", "release", "release"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS), st.integers(0, 3), st.integers(0, 3), st.sampled_from([1, 3, 8])
    ),
    min_size=12,
    max_size=24,
)
AGES = st.sampled_from(["P0DT3H", "P10DT3H", "P40DT3H"])
SELECTORS = st.sampled_from(
    [{}, {}, {}, {"status": "active"}, {"status": "superseded"}, {"min_size_bytes": 4}]
)
KEPT = st.sampled_from([0, 0, 1, 2])
POLICIES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "delete": st.fixed_dictionaries(
        {"clock": st.sampled_from(["created", "superseded", "archived"]), "keep_last": KEPT}
    ),
    "archive": st.fixed_dictionaries(
        {
            "clock": st.sampled_from(["created", "superseded", "archived"]),
            "target_tier": st.sampled_from(["Cool", "Archive"]),
            "keep_last": KEPT,
        }
    ),
    "expire": st.just({"clock": "expires"}),
    "purge": st.just({"clock": "deleted"}),
}


@pytest.mark.parametrize("kind", POLICIES)
def test_a_simulation_tells_what_a_run_does(
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
    kind: str,
) -> None:
    acted = 0

    @settings(
        max_examples=40,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(told=POLICIES[kind], age=AGES, selector=SELECTORS, steps=STEPS)
    def replay(told: dict[str, Any], age: str, selector: dict[str, Any], steps: list[Step]) -> None:
        nonlocal acted
        empty(sql)
        policy = {"name": kind, "kind": kind, "age": age, "selector": selector, **told}
        twins = Twins(database, artifacts, clock, policy)
        for step in steps:
            # What people delete changes which are the newest, for policies that keep these.
            if not (policy.get("keep_last") and step[0] == "delete"):
                twins.step(step)
        for twin in (RUN, QUIET):
            days, told_bytes = twins.told(twin)
            assert days == twins.acted, twin
            assert told_bytes == twins.bytes or kind == "purge", twin
        acted += len(twins.acted)

    replay()
    assert acted > 10


def empty(sql: psycopg.Connection[DictRow]) -> None:
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        sql.execute("TRUNCATE registry.artifacts, registry.assets, registry.holds CASCADE")
