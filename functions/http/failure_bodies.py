"""What the surface of failures asks and answers with."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.models.set_aside import FailureFilter, FailureState, Named
from shared.services.artifact_reads import MAXIMUM_PAGE

FAILURE: dict[str, Any] = {
    "set_aside_id": "5f0c3b52-8a4e-1d0b-9a77-6f3c2e1d0b4a",
    "source": "blob-events",
    "reason": "blob_not_found",
    "explanation": "There is no container 'silver-cogs'.",
    "state": "open",
    "set_aside_at": "2026-01-22T09:30:00Z",
    "replays": 0,
    "last_tried_at": None,
    "ended_at": None,
    "ended_by": None,
}
DETAIL: dict[str, Any] = FAILURE | {
    "body": '{"kind": "blob-reference", "account": "a", "container": "silver-cogs", "path": "x"}',
    "body_encoding": "text",
}
REPLAYING: dict[str, Any] = FAILURE | {"state": "replaying"}
DISCARDED: dict[str, Any] = FAILURE | {
    "state": "discarded",
    "ended_at": "2026-01-23T08:00:00Z",
    "ended_by": "key:0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90",
}
REPLAYS_ASKED: dict[str, Any] = {"count": 17, "skipped": 0, "next": None}
REPLAY: dict[str, Any] = {"source": "blob-events", "reason": "blob_not_found", "limit": 1000}


class ReplayRequest(BaseModel):
    """Which failures are meant, as in the list of them; what is left out is not asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal[FailureState.OPEN, FailureState.REPLAYING] = FailureState.OPEN
    """`replaying`: those whose replay was asked for already, should it have been lost."""
    source: Named | None = None
    reason: Named | None = None
    limit: Annotated[int, Field(ge=1, le=MAXIMUM_PAGE)] = MAXIMUM_PAGE
    cursor: Annotated[str, Field(max_length=1000)] | None = None
    """`next` of the answer before."""

    @property
    def wanted(self) -> FailureFilter:
        return FailureFilter(self.state, self.source, self.reason)
