"""A build: a run that moves through numbered states, from 0 to 100."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.models.artifacts import Label, Moment, Name
from shared.models.text import Text

LAST_STATE = 100
"""Where a build of a project without a catalogue ends."""

StateCode = Annotated[int, Field(ge=0, le=LAST_STATE, strict=True)]
"""A state by its number: later ones have higher codes."""

WrittenState = Annotated[int, Field(ge=0, le=LAST_STATE)]
"""Likewise, where it is text at first, as in a query."""

_MAXIMUM_LABELS = 64
_LabelText = Annotated[Text, Field(max_length=255)]


def _on_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters are not accepted")
    if text.isspace():
        raise ValueError("a name is more than blanks")
    return text


PrintableName = Annotated[Name, AfterValidator(_on_one_line)]
"""A name that stands on one line."""


class BuildStatus(StrEnum):
    """How far a build is. What is completed or failed has ended; a resume reopens the latter."""

    PENDING = "pending"
    """Nothing was told of it since it was made."""
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class BuildFacets(BaseModel):
    """What is built, in words of its makers: free, and none of it needed."""

    model_config = ConfigDict(frozen=True)

    project: PrintableName | None = None
    """Whose catalogue of states counts, where it has one."""
    platform: PrintableName | None = None
    os_version: PrintableName | None = None
    image_type: PrintableName | None = None
    labels: Annotated[dict[Label, _LabelText], Field(max_length=_MAXIMUM_LABELS)] = Field(
        default_factory=dict[Label, _LabelText]
    )


class BuildRequest(BuildFacets):
    """The body of `POST /api/builds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    build_number: PrintableName
    """By which people know the build; no two builds have one."""


class BuildFilter(BaseModel):
    """Which builds are asked for: those that satisfy every condition given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    build_number: PrintableName | None = None
    project: PrintableName | None = None
    platform: PrintableName | None = None
    os_version: PrintableName | None = None
    image_type: PrintableName | None = None
    status: BuildStatus | None = None
    state_code: WrittenState | None = None


class Build(BaseModel):
    """A build as it is now."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    build_number: str
    project: str | None
    platform: str | None
    os_version: str | None
    image_type: str | None
    labels: dict[str, str]
    status: BuildStatus
    state: int | None
    """Code of the last state that was completed; after a resume, the one it went back to."""
    state_name: str | None
    attempts: int
    """Attempts at states so far."""
    resumes: int
    """How often it was resumed."""
    message: str | None
    """Why it failed, where somebody said so."""
    created_at: Moment
    updated_at: Moment
    start_time: Moment | None
    """When the first attempt began."""
    end_time: Moment | None
    duration_seconds: float | None
    """From its beginning to its end; null while it goes on."""


class BuildPage(BaseModel):
    """Part of a list, newest first; `next` is the cursor of another part.

    A page may hold fewer builds than were asked for, even none, before the end.
    """

    builds: list[Build]
    next: str | None
