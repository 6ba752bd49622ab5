"""How much is registered of what, day by day, and what failed."""

from datetime import date

from pydantic import BaseModel, ConfigDict

LONGEST_DAYS = 366


class Counted(BaseModel):
    """Artifacts of every status; of those that are deleted, told again."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    artifact_count: int = 0
    size_bytes: int = 0
    """Sizes as they were registered, each revision counted: not what is stored."""
    deleted_count: int = 0
    deleted_bytes: int = 0


class CountedValue(Counted):
    """Figures of the artifacts that have one value in common."""

    value: str | None
    """None: these have none."""


class Breakdown(BaseModel):
    """Figures by value, those of most artifacts first. Together they are all."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    values: list[CountedValue]
    others: Counted
    """Of all values that are not listed."""


class CountedDay(Counted):
    """Figures of the artifacts that were registered on a day (UTC), as they are now."""

    day: date


class OperationErrors(BaseModel):
    """How often an operation was attempted in vain."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    operation: str
    errors: int


class RegistryFigures(Counted):
    """Figures of one client's artifacts, or of all, at one instant."""

    client_type: str | None
    """None: of all clients."""
    by_status: Breakdown
    by_stage: Breakdown
    by_type: Breakdown
    by_client: Breakdown
    by_backend: Breakdown
    by_tier: Breakdown
    by_container: Breakdown
    """Each as `account/container`."""

    today: date
    """Where the registry is (UTC): the last of the days."""
    days: list[CountedDay]
    """Of the days asked for those on which something was registered, the earliest first."""
    total_errors: int
    """In these days, whichever client is asked for."""
    errors_by_operation: list[OperationErrors]
    """The most frequent ones first; at most 100."""
