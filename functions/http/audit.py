"""The audit trail over HTTP: who did what, for those only who may do everything."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field

from functions.http.admin_answers import Answer
from functions.http.answers import json_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.examples import ARTIFACT_ID
from functions.http.guarded_route import StrictOperatorRoute
from functions.http.parameters import DEFAULT_PAGE, Cursor
from shared import errors
from shared.models.artifacts import Moment
from shared.models.audit import AuditEvent
from shared.models.audit_queries import AuditFilter, ErrorSummary
from shared.models.chains import MAXIMUM_PAGE

_EVENT: dict[str, Any] = {
    "number": 4711,
    "event_id": "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e91",
    "time": "2026-01-22T09:30:00.000000Z",
    "recorded_at": "2026-01-22T09:30:02.150000Z",
    "operation": "status_update",
    "action": "archive",
    "artifact_id": ARTIFACT_ID,
    "asset_id": "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e92",
    "run_id": None,
    "actor": "key:0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e93",
    "request_id": "5d0e6c2a-1c4b-4a55-9d53-6c1f0d1f2b3a",
    "success": True,
    "error": None,
    "details": {"before": {"disposition": "live"}, "after": {"disposition": "archived"}},
    "shard": 2,
    "previous": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_SUMMARY: dict[str, Any] = {
    "total_errors": 3,
    "errors_by_operation": {"artifact_creation": 2, "status_update": 1},
    "errors_by_reason": {"artifact-conflict": 2, "artifact-held": 1},
    "next": None,
}

router = APIRouter(prefix="/api/admin/audit", tags=["audit"], route_class=StrictOperatorRoute)


class AuditAnswer(Answer):
    """Part of the trail, newest first, each event as it is kept; `next` is the cursor of more."""

    events: list[AuditEvent]
    next: str | None


class AuditQuery(AuditFilter):
    """A filter of events, and how to go through what it finds."""

    # A function's key, which the route lets through.
    model_config = ConfigDict(extra="ignore", defer_build=False)

    limit: Annotated[int, Field(ge=1, le=MAXIMUM_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[
        str | None,
        Field(max_length=1000, description="`next` of the page before; belongs to its filter."),
    ] = None

    def filter(self) -> AuditFilter:
        """The filter alone, its values checked already."""
        values = {name: getattr(self, name) for name in AuditFilter.model_fields}
        return AuditFilter.model_construct(**values)


Start = Annotated[Moment | None, Query(description="Inclusive.")]
End = Annotated[Moment | None, Query(description="Exclusive.")]


@router.get(
    "",
    responses=problems(errors.StorageUnavailable)
    | answer(AuditAnswer, "A page of events.", {"events": [_EVENT], "next": None}),
)
def query_audit_trail(entry: Entrance, query: Annotated[AuditQuery, Query()]) -> Response:
    """Events of the audit trail, newest first. `start` and `end` are of when they happened.

    A page may hold fewer events than there are, or none: `next` goes on looking. An event is found
    seconds after its change.
    """
    page = entry.registry.audit.trail.query_audit_trail(
        query.filter(), limit=query.limit, cursor=query.cursor
    )
    return Response(page.text, media_type="application/json")


@router.get(
    "/errors",
    responses=problems(errors.StorageUnavailable)
    | answer(ErrorSummary, "What failed, counted.", _SUMMARY),
)
def get_error_summary(
    entry: Entrance, start: Start = None, end: End = None, cursor: Cursor = None
) -> Response:
    """How many attempts failed, by operation and by reason, in part of the trail.

    Where `next` is not null, the counts of its page are to be added.
    """
    return json_answer(entry.registry.audit.trail.get_error_summary(start, end, cursor=cursor))
