"""Bringing archived bytes back: where to, and how soon."""

from pydantic import BaseModel, ConfigDict

from shared.models.tiers import RehydratePriority, WarmerTier


class RehydrateRequest(BaseModel):
    """Where the bytes are to lie, and how soon; from other tiers than Archive, at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_tier: WarmerTier = WarmerTier.HOT
    priority: RehydratePriority = RehydratePriority.STANDARD
