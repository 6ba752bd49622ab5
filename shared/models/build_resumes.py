"""Resuming builds: from where, with what, and how far it is."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.models.artifacts import Moment
from shared.models.build_artifacts import BuildArtifact
from shared.models.build_variables import BuildVariable
from shared.models.builds import BuildStatus, StateCode
from shared.models.text import Text


class ResumeStatus(StrEnum):
    """The life of a resume; the orchestrator moves it on."""

    PENDING = "pending"
    TRIGGERED = "triggered"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class StateName(BaseModel):
    """A state by its code, and its name where that is known."""

    model_config = ConfigDict(frozen=True)

    code: int
    name: str | None


class ResumeContext(BaseModel):
    """All that a build server needs to know to go on with a build."""

    model_config = ConfigDict(frozen=True)

    build_id: UUID
    build_number: str
    status: BuildStatus
    last_successful_state: StateName | None
    failed_state: StateName | None
    """Only while it is the latest word."""
    failure_message: str | None
    resume_from: StateName | None
    """The latest state, up to the last successful one, of which everything needed is there; null:
    from the beginning."""
    next_state: StateName | None
    """Where to go on, where the catalogue or the history tells."""
    can_resume: bool
    missing: list[str]
    """Why it cannot be resumed: what is needed and not there."""
    resumable_artifacts: list[BuildArtifact]
    """Up to `resume_from`: live, not expired, not known to be corrupt or missing."""
    artifacts_left_out: bool
    """Whether there are more, of earlier states: they are in the list of artifacts."""
    variables: list[BuildVariable]
    """Those that a resume needs."""
    pending_resume_id: UUID | None
    """The resume that is under way."""


class ResumeRequest(BaseModel):
    """The body of `POST /api/builds/{id}/resume`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_state: StateCode | None = None
    """The completed state to go on from; by default what the context tells."""
    reason: Annotated[Text, Field(max_length=1000)] | None = None


class ResumeChange(BaseModel):
    """The body of `PATCH /api/builds/{id}/resumes/{resume_id}`: forward only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: ResumeStatus
    message: Annotated[Text, Field(max_length=10_000)] | None = None


class Resume(BaseModel):
    """One resume of a build."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    build_id: UUID
    status: ResumeStatus
    from_state: int | None
    """null: from the beginning."""
    next_state: int | None
    """The state whose next attempt it opened."""
    state_id: UUID | None
    """That attempt."""
    reason: str | None
    message: str | None
    saved_seconds: float
    """What the attempts took that need not be made again; counted once the build gets on."""
    requested_by: str
    created_at: Moment
    updated_at: Moment
    ended_at: Moment | None


class ResumePage(BaseModel):
    """Part of a build's resumes, newest first; `next` is the cursor of another part."""

    resumes: list[Resume]
    next: str | None
