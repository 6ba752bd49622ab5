"""Runs of policies: what was done, and what was left alone and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.models.artifacts import Moment
from shared.models.policies import Policy
from shared.models.registrations import Origin


class RunStatus(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    FINISHED = "finished"
    SKIPPED = "skipped"
    """Another run of the policy was under way."""
    INCOMPLETE = "incomplete"
    """A dry run that took too long: its counts are of a part."""


class RunError(BaseModel):
    """An artifact that could not be acted on."""

    model_config = ConfigDict(frozen=True)

    artifact_id: UUID
    detail: str


class PolicyRun(BaseModel):
    """A run as it is now. What is being worked on is counted when it is done."""

    model_config = ConfigDict(frozen=True)

    run_id: UUID
    policy: str
    status: RunStatus
    dry_run: bool
    """Whether nothing was, or will be, changed: `acted` and `bytes` are what would have been."""
    selected: int
    """Artifacts that were found to be acted on; before each is, it is judged once more."""
    acted: int
    bytes: int
    """Sizes of what was acted on; of a blob that several share, the last of them counts."""
    refused: dict[str, int]
    """Why what is due was left alone, and how often."""
    errors: int
    last_errors: list[RunError]
    """The latest, 20 at most. What failed is still due, and tried by the next run."""
    started_by: str
    started_at: Moment
    ended_at: Moment | None
    skipped_for: UUID | None
    """The run that was under way."""


class PolicyRunPage(BaseModel):
    """Part of a list, newest first; `next` is the cursor of another part."""

    runs: list[PolicyRun]
    next: str | None


@dataclass(frozen=True)
class Selection:
    """A run that has not ended, and the policy by which it selects, as it is kept."""

    run_id: UUID
    policy: JsonValue
    is_selecting: bool


@dataclass(frozen=True)
class Claimed:
    """What one step of selecting came to."""

    artifact_ids: list[UUID]
    is_selecting: bool | None
    """Whether there may be more; None where somebody else is at it, or the run has ended."""


@dataclass(frozen=True)
class JudgedClaim:
    """A claim, and what its policy makes of the artifact while nobody else can change it."""

    run_id: UUID
    policy: Policy
    verdict: str
    """Empty where it is to be acted on, else why not."""
    clock_at: datetime | None
    revision_rank: int | None
    bytes: int | None

    @property
    def origin(self) -> Origin:
        """Who acts: the policy, by its run."""
        return Origin(f"policy:{self.policy.name}", str(self.run_id))

    @property
    def why(self) -> dict[str, Any]:
        """What the audit trail says of the decision."""
        return {
            "policy": self.policy.name,
            "policy_run": str(self.run_id),
            "clock": self.policy.clock,
            "clock_at": self.clock_at.isoformat() if self.clock_at else None,
            "revision_rank": self.revision_rank,
        }
