"""How builds are doing, all together."""

from pydantic import BaseModel, ConfigDict

from shared.models.builds import Build


class BuildCount(BaseModel):
    """How many builds have a value in common; null: those that have none."""

    model_config = ConfigDict(frozen=True)

    value: str | int | None
    builds: int


class StateDurations(BaseModel):
    """How long completed attempts at a state took: of the latest 1,000 of them."""

    model_config = ConfigDict(frozen=True)

    state: int
    attempts: int
    """How many were looked at."""
    p50_seconds: float
    p90_seconds: float
    p95_seconds: float
    p99_seconds: float


class BuildDashboard(BaseModel):
    """Totals, the latest builds, and what resuming is worth."""

    model_config = ConfigDict(frozen=True)

    total: int
    by_status: list[BuildCount]
    by_project: list[BuildCount]
    """The 100 with the most builds, as of platforms."""
    by_platform: list[BuildCount]
    by_state: list[BuildCount]
    recent: list[Build]
    durations: list[StateDurations]
    resumed_builds: int
    resumed_share: float
    """Of all builds, those that were resumed at least once: 0 to 1."""
    saved_seconds: float
    """Sum over resumes after which a state was completed."""
