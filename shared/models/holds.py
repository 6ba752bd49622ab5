"""Holds: what is held is not archived, deleted or purged, by nobody."""

from operator import methodcaller
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from shared.models.artifacts import Moment
from shared.models.ids import IdInput
from shared.models.selectors import Selector
from shared.models.text import Text

_TARGETS = ("artifact_id", "asset_id", "selector")
_ToldSelector = Annotated[
    Selector,
    PlainSerializer(methodcaller("model_dump", mode="json", exclude_none=True), when_used="json"),
]
"""As policies tell theirs: what is not said is left out."""


class HoldRequest(BaseModel):
    """What to hold: one artifact, all of an asset, or whatever a selector means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact_id: IdInput | None = None
    asset_id: IdInput | None = None
    selector: Selector | None = None
    reason: Annotated[Text, Field(min_length=1, max_length=1000)]
    until: Moment | None = None
    """When it ends by itself; None for when it is released."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if sum(getattr(self, name) is not None for name in _TARGETS) != 1:
            raise ValueError(f"give one of {', '.join(_TARGETS)}")
        if self.selector is not None and self.selector.is_empty:
            raise ValueError("an empty selector would hold everything")
        return self


class Hold(BaseModel):
    """A hold, as long as there is a record of it: for good."""

    model_config = ConfigDict(frozen=True)

    hold_id: UUID
    artifact_id: UUID | None
    asset_id: UUID | None
    selector: _ToldSelector | None
    reason: str
    owner: str
    """Who placed it: `key:<id>` or the like, no personal data."""
    until: Moment | None
    placed_at: Moment
    released_at: Moment | None
    released_by: str | None


class HoldPage(BaseModel):
    """Part of a list, newest first; `next` is the cursor of another part."""

    holds: list[Hold]
    next: str | None
