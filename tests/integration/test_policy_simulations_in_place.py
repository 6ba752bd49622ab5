"""What policies would have done to blobs that were overwritten in place, and to deleted twins."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import Retryable
from shared.models.artifacts import Artifact
from shared.models.holds import HoldRequest
from shared.models.registrations import UNATTRIBUTED
from shared.repositories import policy_history
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.policies import PolicyService
from shared.services.policy_forecasts import PolicyForecasts
from shared.services.policy_simulations import PolicySimulations
from tests.integration.clock import TickingClock
from tests.integration.registering import create
from tests.integration.test_policy_forecasts import (
    enable,
    forecasts,
    policies,
    simulate,
    simulations,
)
from tests.integration.test_policy_previews import COOL, DELETE, PURGE, policy

__all__ = ["forecasts", "policies", "simulations"]  # fixtures that are asked for by their names

DAY = timedelta(days=1)
BLOB: dict[str, Any] = {
    "storage_account": "account",
    "container": "c",
    "blob_path": "same",
    "size_bytes": 10,
}


def overwrite(artifacts: ArtifactService, times: int) -> list[Artifact]:
    return [create(artifacts, f"{n}", blob_etag=f"e{n}", **BLOB) for n in range(times)]


def test_a_live_revision_that_still_has_the_blob_means_no_bytes(
    simulations: PolicySimulations,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    overwrite(artifacts, 300)
    clock.now += 40 * DAY
    assert simulate(simulations, policy(DELETE), limit=1000) == {"2026-01": (299, 0)}
    assert simulate(simulations, policy(COOL), limit=1000) == {}, "the blob is that of the live one"
    sql.execute("UPDATE registry.artifacts SET blob_version_id = revision::text")
    assert simulate(simulations, policy(DELETE), limit=1000) == {"2026-01": (299, 2990)}


def deleted_twins(artifacts: ArtifactService, *etags: str | None) -> list[Artifact]:
    made = [
        create(artifacts, client_refs={"n": n}, blob_etag=etag, **BLOB)
        for n, etag in enumerate(etags)
    ]
    for each in made:
        artifacts.mark_deleted(each.artifact_id)
    return made


@pytest.mark.parametrize(
    ("etags", "freed"),
    [(("same", "same", "same"), 10), (("one", "two", "two"), 20), (("one", None, "two"), 10)],
)
def test_the_last_that_has_the_bytes_frees_them(
    simulations: PolicySimulations,
    artifacts: ArtifactService,
    clock: TickingClock,
    etags: tuple[str | None, ...],
    freed: int,
) -> None:
    deleted_twins(artifacts, *etags)
    clock.now += 100 * DAY
    ((acted, told),) = simulate(simulations, policy(PURGE)).values()
    assert (acted, told) == (3, freed)


@pytest.mark.parametrize(("etag", "waits"), [("same", True), (None, True), ("other", False)])
def test_a_deleted_twin_that_is_held_keeps_the_bytes_until_it_is_released(
    simulations: PolicySimulations,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    etag: str | None,
    waits: bool,
) -> None:
    one, other = deleted_twins(artifacts, "same", etag)
    until = clock.now + 200 * DAY
    hold = HoldRequest(artifact_id=other.artifact_id, reason="why", until=until)
    HoldService(database, clock).place(hold, UNATTRIBUTED)
    clock.now += 120 * DAY
    wanted: dict[str, Any] = {**PURGE, "selector": {"client_refs": {"n": 0}}}
    assert simulate(simulations, policy(wanted)) == ({} if waits else {"2026-04": (1, 10)})
    clock.now += 100 * DAY
    then = "2026-07" if waits else "2026-04"
    told = simulate(simulations, policy(wanted))
    assert {month: acted for month, (acted, _) in told.items()} == {then: 1}, one.artifact_id


def test_what_takes_too_long_is_given_up(
    simulations: PolicySimulations,
    forecasts: PolicyForecasts,
    policies: PolicyService,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enable(policies, DELETE)
    create(artifacts, "1")
    monkeypatch.setattr(policy_history, "LONGEST_SECONDS", 0.05)
    with sql.transaction():
        sql.execute("LOCK TABLE registry.artifacts IN ACCESS EXCLUSIVE MODE")
        for question in (lambda: simulate(simulations, policy(DELETE)), forecasts.forecast):
            with pytest.raises(Retryable, match="smaller limit"):
                question()
    assert simulate(simulations, policy(DELETE)) == {}
