"""States of builds: what is told of them, and each attempt at one."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from shared.models.artifacts import BigInteger, Moment, Name
from shared.models.axes import Status
from shared.models.build_artifacts import ArtifactPath, StorageBackend
from shared.models.builds import PrintableName, StateCode
from shared.models.checksums import parse_checksum
from shared.models.text import Text, keepable_json

_Message = Annotated[Text, Field(max_length=10_000)]
_LONGEST_CHECKSUM = 255


class StateStatus(StrEnum):
    """How far an attempt is. A failed one leaves the build where it was: another may follow."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


def _is_checksum(text: str) -> str:
    parse_checksum(text)
    return text


class StateReport(BaseModel):
    """The body of `POST /api/builds/{id}/state`: the document's, and `state_code` and `status`.

    What is told with an artifact is registered as one, in the transaction of the transition.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_name: PrintableName | None = None
    state_code: StateCode | None = None
    status: StateStatus = StateStatus.COMPLETED
    message: _Message | None = None
    artifact_storage_type: StorageBackend | None = None
    artifact_storage_path: ArtifactPath | None = None
    artifact_size_bytes: BigInteger | None = None
    artifact_checksum: (
        Annotated[Name, Field(max_length=_LONGEST_CHECKSUM), AfterValidator(_is_checksum)] | None
    ) = None
    artifact_metadata: Annotated[dict[str, JsonValue], AfterValidator(keepable_json)] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.state_name is None and self.state_code is None:
            raise ValueError("give state_name or state_code")
        stored = (self.artifact_storage_type, self.artifact_storage_path)
        about = (self.artifact_size_bytes, self.artifact_checksum, self.artifact_metadata)
        if (any(stored) or any(part is not None for part in about)) and not all(stored):
            raise ValueError(
                "artifact_storage_type and artifact_storage_path come together, "
                "and before whatever else is told of an artifact"
            )
        return self


class FailureReport(BaseModel):
    """The body of `POST /api/builds/{id}/failure`: the build ends, until it is resumed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_name: PrintableName | None = None
    """At which state; the one in progress where neither name nor code is told."""
    state_code: StateCode | None = None
    message: _Message | None = None


class StateAttempt(BaseModel):
    """One attempt at a state. What it tells of an artifact is the registered artifact's."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    build_id: UUID
    state: int
    state_name: str
    attempt: int
    """Counted for each state of a build, from 1."""
    status: StateStatus
    message: str | None
    start_time: Moment
    """When it was begun; without a word of that, when the attempt before it had ended."""
    end_time: Moment | None
    duration_seconds: float | None
    artifact_id: UUID | None
    artifact_storage_type: str | None
    artifact_storage_path: str | None
    artifact_size_bytes: int | None
    artifact_checksum: str | None
    artifact_metadata: dict[str, JsonValue] | None
    artifact_status: Status | None
    """`superseded` and `deleted` ones are told as well."""
    resume_id: UUID | None
    """The resume that opened it."""
    created_at: Moment


class StatePage(BaseModel):
    """Part of a build's history, newest first; `next` is the cursor of another part."""

    states: list[StateAttempt]
    next: str | None
