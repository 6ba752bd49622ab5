"""What policies would have done, what they will do, and what lay where until now."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from pydantic import ConfigDict

from functions.http.answers import json_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import AdminRoute, QuestionRoute
from functions.http.parameters import Cursor, Limit
from functions.http.policies import PREFIX
from functions.http.policy_bodies import POLICY
from shared import errors
from shared.models.byte_history import LONGEST_DAYS, ByteHistory
from shared.models.chains import MAXIMUM_PAGE
from shared.models.policy_forecasts import PolicyForecast
from shared.models.policy_simulations import PolicySimulation, SimulationRequest

_ASKED: dict[str, Any] = {"policy": POLICY, "since": "2026-01-01T00:00:00Z"}
_BY_NAME: dict[str, Any] = {"name": "cool-old-revisions", "since": "2026-01-01T00:00:00Z"}
_SIMULATION: dict[str, Any] = {
    "months": [{"month": "2026-01", "artifacts": 812, "bytes": 42578477056}],
    "looked_at": 1000,
    "next": None,
}
_FORECAST: dict[str, Any] = {
    "days": [
        {
            "day": "2026-03-01",
            "policy": "cool-old-revisions",
            "kind": "archive",
            "artifacts": 12,
            "bytes": 629145600,
        }
    ],
    "looked_at": 40,
    "next": None,
}
_HISTORY: dict[str, Any] = {
    "today": "2026-02-28",
    "days": [
        {
            "day": "2026-02-28",
            "storage_tier": "Hot",
            "status": "active",
            "artifacts": 1200,
            "bytes": 62914560000,
        }
    ],
}

Days = Annotated[int, Query(ge=1, le=LONGEST_DAYS)]

questions = APIRouter(prefix=PREFIX, tags=["policies"], route_class=QuestionRoute)
router = APIRouter(prefix="/api/admin/statistics", tags=["statistics"], route_class=AdminRoute)


class SimulationBody(SimulationRequest):
    """A policy, as it would be kept or by the name by which it is, and since when it would run."""

    model_config = ConfigDict(defer_build=False)


@questions.post(
    "/simulate",
    responses=problems(
        errors.PolicyNotFound, errors.PolicyUnreadable, errors.Retryable, takes_body=True
    )
    | answer(PolicySimulation, "What would have been done, by month.", _SIMULATION),
)
def simulate_policy(
    entry: Entrance, asked: Annotated[SimulationBody, Body(examples=[_ASKED, _BY_NAME])]
) -> Response:
    """Replay a policy over what artifacts tell of their own history; nothing is changed.

    A page looks at `limit` artifacts; the months of all pages are to be added up.
    """
    return json_answer(entry.registry.enforcement.simulations.simulate(asked))


@router.get(
    "/forecast",
    responses=problems(errors.Retryable)
    | answer(PolicyForecast, "What will be done, by day.", _FORECAST),
)
def forecast_policies(
    entry: Entrance, days: Days = 90, limit: Limit = MAXIMUM_PAGE, cursor: Cursor = None
) -> Response:
    """What enabled policies will do in the next days, by what is registered now.

    What is due already comes on the first day. A page looks at `limit` artifacts that will be due;
    the days of all pages are to be added up.
    """
    page = entry.registry.enforcement.forecasts.forecast(days, limit=limit, cursor=cursor)
    return json_answer(page)


@router.get(
    "/history",
    responses=problems() | answer(ByteHistory, "What lay where, by day.", _HISTORY),
)
def get_byte_history(entry: Entrance, days: Days = 90) -> Response:
    """Artifacts and bytes by tier and status at the end of each of the last days, and now.

    A day has at most 30 entries; days of which nothing is known are left out.
    """
    return json_answer(entry.registry.byte_history.read(days))
