"""What is asked of the audit trail, and what it answers."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.models.artifacts import Moment
from shared.models.audit import AuditEvent, KeptEvent, rfc3339
from shared.models.ids import IdInput
from shared.models.text import Text

_CONDITIONS = {
    "run_id": "Run eq @run_id",
    "operation": "Operation eq @operation",
    "action": "Action eq @action",
    "actor": "Actor eq @actor",
    "success": "Success eq @success",
    "start": "Time ge @start",
    "end": "Time lt @end",
}
"""What a service of tables may look for beside the keys, in OData."""

_Word = Annotated[Text, Field(min_length=1, max_length=100)]


class AuditFilter(BaseModel):
    """Which events are meant: those of which all is true that is not None."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    artifact_id: IdInput | None = None
    run_id: IdInput | None = None
    operation: _Word | None = None
    action: _Word | None = None
    actor: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    success: bool | None = None
    start: Moment | None = None
    """When it happened: inclusive."""
    end: Moment | None = None
    """Exclusive."""

    def means(self, event: AuditEvent) -> bool:
        """Whether it is one of those."""
        if self.start is not None and event.time < self.start:
            return False
        if self.end is not None and event.time >= self.end:
            return False
        named = self.model_dump(exclude_none=True, exclude={"start", "end"})
        return all(getattr(event, name) == value for name, value in named.items())

    @property
    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """The same for a service of tables, all of it but the artifact."""
        given = {name: getattr(self, name) for name in _CONDITIONS}
        values = {
            name: value if isinstance(value, bool) else _as_text(value)
            for name, value in given.items()
            if value is not None
        }
        return [_CONDITIONS[name] for name in values], values


@dataclass(frozen=True)
class AuditPage:
    """Part of the trail, newest first; `next` is the cursor of another part.

    One that holds few events, or none, has a `next` where others may follow: looking for them all
    may take longer than an answer.
    """

    kept: list[KeptEvent]
    next: str | None

    @property
    def events(self) -> list[AuditEvent]:
        return [each.event for each in self.kept]

    @property
    def text(self) -> str:
        """As JSON; each event as it is kept, so that its hash can be had of an answer."""
        events = ",".join(each.canonical for each in self.kept)
        return f'{{"events":[{events}],"next":{json.dumps(self.next)}}}'


class ErrorSummary(BaseModel):
    """Attempts that failed, counted in part of the trail; `next` is the cursor of another part.

    The counts of all parts are to be added up.
    """

    model_config = ConfigDict(frozen=True)

    total_errors: int
    errors_by_operation: dict[str, int]
    errors_by_reason: dict[str, int]
    """By what an error's text begins with, up to its first colon; rare ones beyond a hundred are
    counted as `others`."""
    next: str | None


def _as_text(value: object) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)
