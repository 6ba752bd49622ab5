"""What the audit trail's table holds that a database which was restored does not know."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class EventsBeyond(BaseModel):
    """Events that were recorded after the moment to which the database was brought back."""

    model_config = ConfigDict(frozen=True)

    known_number: int
    """Of the last event that the database knew."""
    known_until: datetime | None
    """When that was recorded, or the day before it was over."""
    events: int
    last_number: int | None
    last_recorded_at: datetime | None
    lost: int
    """Numbers among them that were handed out and never written, when the database was lost."""
    sealed_days: int
    """Days that end among them and were sealed: so many are proven by their seals."""
