"""What policies would have done and will do, and what lay where, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from shared.bootstrap import Registry
from shared.models.artifacts import Artifact
from shared.services.artifact_service import ArtifactService
from tests.integration.clock import TickingClock
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.registering import create

SIMULATE = "/api/admin/policies/simulate"
FORECAST = "/api/admin/statistics/forecast"
HISTORY = "/api/admin/statistics/history"
POLICY: dict[str, Any] = {
    "name": "delete-old",
    "kind": "delete",
    "clock": "superseded",
    "age": "P30D",
}


@pytest.fixture
def made(artifacts: ArtifactService, clock: TickingClock) -> Artifact:
    """Superseded forty days ago."""
    clock.now = datetime.now(UTC) - timedelta(days=40)
    first = create(artifacts, "1", size_bytes=10)
    create(artifacts, "2", size_bytes=5)
    return first


def test_a_policy_is_simulated_by_whoever_may_read(reader: Caller, made: Artifact) -> None:
    since = (made.created_at - timedelta(days=1)).isoformat()
    asked = {"policy": POLICY, "since": since, "limit": 1}
    first = reader.call("POST", SIMULATE, json=asked).json()
    assert first["looked_at"] == 1
    second = reader.call("POST", SIMULATE, json=asked | {"cursor": first["next"]}).json()
    month = (made.created_at + timedelta(days=30)).strftime("%Y-%m")
    assert [*first["months"], *second["months"]] == [{"month": month, "artifacts": 1, "bytes": 10}]
    by_name = reader.call("POST", SIMULATE, json={"name": "cool-superseded", "since": since})
    assert by_name.json() == {"months": [], "looked_at": 2, "next": None}, "it has no blob"
    problem(
        reader.call("POST", SIMULATE, json={"name": "unknown", "since": since}),
        404,
        "policy-not-found",
    )


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": "both"}, ""),
        ({"policy": {**POLICY, "age": 30}}, "/policy/age"),
        ({"policy": {**POLICY, "colour": 1}}, "/policy/colour"),
        ({"since": "2026-01-01"}, "/since"),
        ({"since": "2999-01-01T00:00:00Z"}, "/since"),
        ({"limit": 1001}, "/limit"),
        ({"cursor": "x"}, "/cursor"),
    ],
)
def test_what_is_wrong_with_a_simulation_is_named(
    reader: Caller, wrong: dict[str, Any], pointer: str
) -> None:
    asked = {"policy": POLICY, "since": "2026-01-01T00:00:00Z", **wrong}
    answer = reader.call("POST", SIMULATE, json=asked)
    assert pointers(problem(answer, 422, "invalid-input")) == [pointer]


def test_a_forecast_tells_what_will_be_done(
    reader: Caller, operator: Caller, artifacts: ArtifactService, made: Artifact
) -> None:
    answer = operator.call("PUT", "/api/admin/policies", json={"policies": [POLICY]})
    assert answer.status_code == 200, answer.text
    told = reader.get(FORECAST).json()
    (day,) = told["days"]
    assert (day["policy"], day["kind"], day["artifacts"], day["bytes"]) == (
        "delete-old",
        "delete",
        1,
        10,
    )
    assert (told["looked_at"], told["next"]) == (1, None)
    page = reader.get(f"{FORECAST}?days=30&limit=1").json()
    assert reader.get(f"{FORECAST}?days=30&limit=1&cursor={page['next']}").json()["next"] is None


def test_history_tells_what_lay_where(
    reader: Caller, artifacts: ArtifactService, registry: Registry, made: Artifact
) -> None:
    artifacts.fold_changes()
    days = reader.get(f"{HISTORY}?days=2").json()["days"]
    assert [(each["storage_tier"], each["status"], each["bytes"]) for each in days] == [
        (None, "active", 5),
        (None, "superseded", 10),
    ] * 2


@pytest.mark.parametrize("path", [FORECAST, HISTORY])
@pytest.mark.parametrize("days", ["0", "367", "x"])
def test_so_many_days_are_told_and_no_more(reader: Caller, path: str, days: str) -> None:
    answer = reader.get(f"{path}?days={days}")
    assert pointers(problem(answer, 422, "invalid-input")) == ["/days"]


def test_strangers_are_told_nothing(anonymous: Caller, app: FastAPI) -> None:
    asked = {"policy": POLICY, "since": "2026-01-01T00:00:00Z"}
    assert anonymous.call("POST", SIMULATE, json=asked).status_code == 401
    for path in (FORECAST, HISTORY):
        assert anonymous.get(path).status_code == 401
