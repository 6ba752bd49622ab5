"""How many bytes lay where, day by day."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from shared.models.axes import Status

LONGEST_DAYS = 366


class ByteDay(BaseModel):
    """What lay in one tier with one status when a day (UTC) ended."""

    model_config = ConfigDict(frozen=True)

    day: date
    storage_tier: str | None
    """Hot, Cool, Cold or Archive; `other` for one of another name, None where it is not known."""
    status: Status
    """Of what is deleted; what is purged has no bytes any more, and is left out."""
    artifacts: int
    bytes: int
    """Sizes as they were registered, each revision counted, although revisions may share a blob."""


class ByteHistory(BaseModel):
    """Days that passed, as far as they are known; what has nothing on a day is left out."""

    today: date
    """Where the registry is (UTC)."""
    days: list[ByteDay]
