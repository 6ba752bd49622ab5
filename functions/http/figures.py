"""The admin surface, counting: how much is registered of what, and what failed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from functions.http.answers import json_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import StrictAdminRoute
from functions.http.parameters import OptionalClientType
from shared import errors
from shared.models.figures import LONGEST_DAYS, RegistryFigures

_SOME: dict[str, Any] = {
    "artifact_count": 1200,
    "size_bytes": 62914560000,
    "deleted_count": 0,
    "deleted_bytes": 0,
}
_NONE: dict[str, Any] = dict.fromkeys(_SOME, 0)
_VALUES = {
    "status": "active",
    "stage": "published",
    "type": "raster",
    "client": "ddh",
    "backend": "azure_blob",
    "tier": "Hot",
    "container": "account/uploads",
}
_FIGURES: dict[str, Any] = {
    **_SOME,
    "client_type": None,
    **{
        f"by_{figure}": {"values": [{**_SOME, "value": value}], "others": _NONE}
        for figure, value in _VALUES.items()
    },
    "today": "2026-02-28",
    "days": [{**_SOME, "day": "2026-02-28"}],
    "total_errors": 3,
    "errors_by_operation": [{"operation": "register", "errors": 3}],
}

Days = Annotated[int, Query(ge=1, le=LONGEST_DAYS, description="Back from today, which is one.")]

router = APIRouter(
    prefix="/api/admin/statistics", tags=["statistics"], route_class=StrictAdminRoute
)


@router.get(
    "",
    responses=problems(errors.Retryable) | answer(RegistryFigures, "The figures.", _FIGURES),
)
def get_figures(
    entry: Entrance, client_type: OptionalClientType = None, days: Days = 30
) -> Response:
    """Artifacts and bytes by what they are and by the day of their registration; and errors.

    Of each figure the 100 values with the most artifacts are told, the others together. Errors are
    those of every client.
    """
    return json_answer(entry.registry.figures.get_statistics(client_type, days))
