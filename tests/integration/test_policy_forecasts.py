"""What policies would have done, and what they will do: by month, by day, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import ValidationError

from shared.database.pool import Database
from shared.errors import InvalidInput, PolicyNotFound
from shared.models.holds import HoldRequest
from shared.models.policies import Policy
from shared.models.policy_files import PolicyList
from shared.models.policy_simulations import PolicySimulation, SimulationRequest
from shared.models.registrations import UNATTRIBUTED
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.policies import PolicyService
from shared.services.policy_forecasts import PolicyForecasts
from shared.services.policy_simulations import PolicySimulations
from tests.integration.clock import TickingClock
from tests.integration.registering import create
from tests.integration.test_policy_previews import COOL, DELETE, EXPIRE, PURGE, policy, revise

DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
Days = dict[tuple[str, str], tuple[int, int]]


@pytest.fixture
def policies(database: Database, clock: TickingClock) -> PolicyService:
    return PolicyService(database, clock)


@pytest.fixture
def simulations(
    database: Database, policies: PolicyService, clock: TickingClock
) -> PolicySimulations:
    return PolicySimulations(database, policies, clock)


@pytest.fixture
def forecasts(database: Database, policies: PolicyService, clock: TickingClock) -> PolicyForecasts:
    return PolicyForecasts(database, policies, clock)


def simulate(
    simulations: PolicySimulations, wanted: Policy, since: datetime = BEGIN, limit: int = 2
) -> dict[str, tuple[int, int]]:
    """Artifacts and bytes by month, of all pages."""
    found: dict[str, tuple[int, int]] = {}
    cursor = None
    while True:
        asked = SimulationRequest(policy=wanted, since=since, limit=limit, cursor=cursor)
        page: PolicySimulation = simulations.simulate(asked)
        for each in page.months:
            artifacts, freed = found.get(each.month, (0, 0))
            found[each.month] = (artifacts + each.artifacts, freed + each.bytes)
        cursor = page.next
        if cursor is None:
            return found


def look_ahead(
    forecasts: PolicyForecasts, days: int = 90, limit: int = 2
) -> dict[tuple[str, str], tuple[int, int]]:
    """Artifacts and bytes by day and policy, of all pages."""
    found: Days = {}
    cursor = None
    while True:
        page = forecasts.forecast(days, limit=limit, cursor=cursor)
        assert page.looked_at <= limit
        for each in page.days:
            key = (each.day.isoformat(), each.policy)
            artifacts, freed = found.get(key, (0, 0))
            found[key] = (artifacts + each.artifacts, freed + each.bytes)
        cursor = page.next
        if cursor is None:
            return found


def enable(policies: PolicyService, *wanted: dict[str, Any]) -> None:
    policies.apply(PolicyList(policies=[policy(each) for each in wanted]))


def test_months_tell_what_would_have_been_done_since_then(
    simulations: PolicySimulations, artifacts: ArtifactService, clock: TickingClock
) -> None:
    revise(artifacts, "a", 3)
    clock.now += 40 * DAY
    revise(artifacts, "b", 2)
    clock.now += 100 * DAY
    assert simulate(simulations, policy(COOL)) == {"2026-01": (2, 20), "2026-03": (1, 10)}
    since = datetime(2026, 2, 15, tzinfo=UTC)
    late = {"2026-02": (2, 20), "2026-03": (1, 10)}
    assert simulate(simulations, policy(COOL), since) == late, "overdue when it begins to run"
    assert simulate(simulations, policy(COOL, selector={"client_type": "other"})) == {}


def test_a_stored_policy_is_simulated_by_its_name_and_nothing_changes(
    simulations: PolicySimulations,
    policies: PolicyService,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    enable(policies, DELETE)
    revise(artifacts, "a", 2)
    clock.now += 40 * DAY
    events = "SELECT count(*) AS n FROM registry.outbox"
    before = sql.execute(events).fetchone()
    told = simulations.simulate(SimulationRequest(name="delete-old", since=BEGIN))
    assert [(each.month, each.artifacts) for each in told.months] == [("2026-01", 1)]
    assert (told.looked_at, told.next) == (2, None)
    assert sql.execute(events).fetchone() == before
    with pytest.raises(PolicyNotFound):
        simulations.simulate(SimulationRequest(name="none", since=BEGIN))


def test_holds_and_locked_policies_keep_as_long_as_they_did(
    simulations: PolicySimulations,
    policies: PolicyService,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
) -> None:
    holds = HoldService(database, clock)
    for name, until in (("ends", clock.now + 100 * DAY), ("is released", None)):
        held = revise(artifacts, name, 2, container=name.replace(" ", "-"))[0]
        wanted = HoldRequest(artifact_id=held.artifact_id, reason="why", until=until)
        hold_id = holds.place(wanted, UNATTRIBUTED).hold_id
    selected = HoldRequest.model_validate({"selector": {"metadata": {"case": 7}}, "reason": "why"})
    holds.place(selected, UNATTRIBUTED)
    revise(artifacts, "by selector", 2, metadata={"case": 7}, container="s")
    clock.now += 200 * DAY
    holds.release(hold_id, UNATTRIBUTED)
    clock.now += 100 * DAY
    assert simulate(simulations, policy(DELETE)) == {"2026-04": (1, 10), "2026-07": (1, 10)}
    locked = {"name": "lock", "kind": "delete", "clock": "created", "age": "P150D", "locked": True}
    enable(policies, locked)
    assert simulate(simulations, policy(DELETE)) == {"2026-05": (1, 10), "2026-07": (1, 10)}


def test_what_was_superseded_before_that_was_noted_was_so_when_its_successor_came(
    simulations: PolicySimulations,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    first = create(artifacts, "1")
    create(artifacts, "2")
    clock.now += 100 * DAY
    artifacts.mark_deleted(first.artifact_id)
    sql.execute("UPDATE registry.artifacts SET superseded_at = NULL")
    assert simulate(simulations, policy(DELETE)) == {"2026-01": (1, 0)}


def test_a_time_to_come_and_foreign_cursors_are_refused(
    simulations: PolicySimulations, artifacts: ArtifactService, clock: TickingClock
) -> None:
    revise(artifacts, "a")
    with pytest.raises(InvalidInput) as refused:
        simulate(simulations, policy(COOL), clock.now + DAY)
    assert refused.value.pointer == "/since"
    asked = SimulationRequest(policy=policy(COOL), since=BEGIN, limit=1)
    cursor = simulations.simulate(asked).next
    for changed in ({"policy": policy(PURGE)}, {"since": BEGIN - DAY}):
        with pytest.raises(InvalidInput):
            simulations.simulate(asked.model_copy(update={"cursor": cursor, **changed}))
    with pytest.raises(ValidationError, match="give a policy"):
        SimulationRequest(since=BEGIN)


def test_days_tell_what_each_policy_will_do_and_what_is_overdue_comes_today(
    forecasts: PolicyForecasts,
    policies: PolicyService,
    artifacts: ArtifactService,
    clock: TickingClock,
) -> None:
    enable(policies, {**COOL, "priority": 1}, PURGE, EXPIRE, {**DELETE, "enabled": False})
    revise(artifacts, "a", 3)
    clock.now += 20 * DAY
    revise(artifacts, "b", 2)
    create(artifacts, expires_at=clock.now + 5 * DAY, client_refs={"n": 1}, size_bytes=7)
    gone = revise(artifacts, "c", 1)[0]
    artifacts.mark_deleted(gone.artifact_id)
    clock.now += 15 * DAY
    today = {("2026-02-05", COOL["name"]): (2, 20), ("2026-02-05", "expire"): (1, 7)}
    soon = today | {("2026-02-20", COOL["name"]): (1, 10)}
    assert look_ahead(forecasts, 1) == today
    assert look_ahead(forecasts, 30, limit=1) == soon
    assert look_ahead(forecasts) == soon | {("2026-04-21", "purge-deleted"): (1, 10)}


def test_what_is_held_until_a_day_is_due_when_it_ends(
    forecasts: PolicyForecasts,
    policies: PolicyService,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
) -> None:
    enable(policies, DELETE)
    first = revise(artifacts, "a", 2)[0]
    until = BEGIN + 50 * DAY
    holds = HoldService(database, clock)
    wanted = HoldRequest(artifact_id=first.artifact_id, reason="why", until=until)
    holds.place(wanted, UNATTRIBUTED)
    assert look_ahead(forecasts) == {("2026-02-20", "delete-old"): (1, 10)}
    assert look_ahead(forecasts, 45) == {}
    holds.place(wanted.model_copy(update={"until": None}), UNATTRIBUTED)
    assert look_ahead(forecasts) == {}


def test_what_is_archived_is_foretold_once(
    forecasts: PolicyForecasts,
    policies: PolicyService,
    artifacts: ArtifactService,
    clock: TickingClock,
) -> None:
    enable(policies, {**DELETE, "clock": "created"})
    first = revise(artifacts, "a", 1)[0]
    clock.now += 10 * DAY
    artifacts.mark_archived(first.artifact_id)
    assert look_ahead(forecasts) == {("2026-02-10", "delete-old"): (1, 10)}


def test_a_cursor_of_other_policies_or_days_is_refused(
    forecasts: PolicyForecasts, policies: PolicyService, artifacts: ArtifactService
) -> None:
    enable(policies, COOL)
    revise(artifacts, "a", 3)
    cursor = forecasts.forecast(90, limit=1).next
    assert forecasts.forecast(90, limit=1, cursor=cursor).looked_at == 1
    with pytest.raises(InvalidInput):
        forecasts.forecast(91, limit=1, cursor=cursor)
    enable(policies, DELETE)
    with pytest.raises(InvalidInput):
        forecasts.forecast(90, limit=1, cursor=cursor)
    for days in (0, 367):
        with pytest.raises(InvalidInput):
            forecasts.forecast(days)
