"""What a policy would have done."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.models.artifacts import Moment
from shared.models.policies import Policy
from shared.models.rule_fields import RuleName


class SimulationRequest(BaseModel):
    """A policy, of which there need be no record or which is kept by a name, and since when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Policy | None = None
    name: RuleName | None = None
    since: Moment
    """From when on it is thought to have run."""
    limit: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1000
    """How many artifacts are looked at; most of them may be none of the policy's."""
    cursor: Annotated[str, Field(max_length=1000)] | None = None

    @model_validator(mode="after")
    def _one_policy(self) -> Self:
        if (self.policy is None) == (self.name is None):
            raise ValueError("give a policy, or the name of one")
        return self


class ActedMonth(BaseModel):
    """What would have been acted on in a month (UTC)."""

    model_config = ConfigDict(frozen=True)

    month: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}$")]
    artifacts: int
    bytes: int


class PolicySimulation(BaseModel):
    """Of some artifacts, in the order of their ids; months of all pages are to be added up."""

    months: list[ActedMonth]
    looked_at: int
    next: str | None


class Acted(BaseModel):
    """An artifact, and when a policy acts on it or would have; None where it does not."""

    model_config = ConfigDict(frozen=True)

    artifact_id: UUID
    acted_at: Moment | None
    bytes: int | None
