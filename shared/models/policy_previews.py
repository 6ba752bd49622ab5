"""What a policy would do now, and why."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.models.artifacts import Moment


@dataclass(frozen=True)
class Place:
    """Behind what a stream of due artifacts goes on."""

    clock_at: AwareDatetime
    artifact_id: UUID


class Due(BaseModel):
    """An artifact whose clock says that it is due, and what the policy makes of it."""

    model_config = ConfigDict(frozen=True)

    artifact_id: UUID
    clock_at: Moment
    verdict: str | None
    """None where it is none of the policy's; empty where it is to be acted on, else why not."""
    revision_rank: int | None
    """Among its asset's that are there, the newest being 1; 101 for all that are older."""
    bytes: int | None
    storage_tier: str | None
    tier_since: Moment


class Candidate(BaseModel):
    """What a policy would act on."""

    model_config = ConfigDict(frozen=True)

    artifact_id: UUID
    reason: str
    due_at: Moment
    bytes_freed: int
    """Of a tombstone, what a purge will free; of bytes that several share, the last counts."""
    warnings: list[str]


class RefusedCandidate(BaseModel):
    """What is due, and is left alone."""

    model_config = ConfigDict(frozen=True)

    artifact_id: UUID
    reason: str


class PolicyPreview(BaseModel):
    """Part of what a policy would do; `total` and `bytes_freed` count from its beginning.

    A part may be short, or empty, while `next` leads on.
    """

    candidates: list[Candidate]
    total: int
    bytes_freed: int
    refused: list[RefusedCandidate]
    next: str | None
