"""How long the audit trail is kept where it is asked, and what becomes of its months later."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

_MONTHS = 12


@dataclass(frozen=True)
class KeepingTime:
    """Both must be over before a month may be dropped."""

    minimum_days: int
    """Since the day of its last event was over."""
    months: int | None
    """Whole months that are kept beside the one that is under way; None for all."""

    def last_day(self, now: datetime) -> date | None:
        """The last day that is not to be kept, the last of its month; None where all are."""
        if self.months is None:
            return None
        today = now.astimezone(UTC).date()
        year, month = divmod(today.year * _MONTHS + today.month - 1 - self.months, _MONTHS)
        return date(year, month + 1, 1) - timedelta(days=1)

    def is_over(self, day: date, now: datetime) -> bool:
        """Whether a day ended longer ago than is the least for its events."""
        return now.astimezone(UTC).date() - day > timedelta(days=self.minimum_days)


class ExportedMonth(NamedTuple):
    """A month of the trail that is exported, as the database knows it."""

    month: date
    exported_to: str
    """The name of its blob, in the container of exports."""
    exported_at: datetime
    events: int
    sha256: str
    """Of the blob, in hex."""
    dropped_at: datetime | None
    """Since then nobody reads it; its table, and then its digests, are taken away."""
    removed_at: datetime | None
    """When nothing of that was left."""


class ExportProof(BaseModel):
    """What was proven of an exported month."""

    model_config = ConfigDict(frozen=True)

    month: date
    first_number: int
    last_number: int
    events: int
    days: int
    """All of them sealed, and as they were sealed."""
    sha256: str
    """Of the file, in hex."""
    is_recorded: bool
    """Whether this very file is the one that the database tells of."""


class Retained(NamedTuple):
    """What one run came to, in months."""

    exported: int = 0
    dropped: int = 0
    refused: int = 0
    """Due and kept: the log says why."""


def export_path(month: date) -> str:
    """Where an exported month is, in its container: names are in the order of months."""
    return f"{month:%Y/%Y-%m}.jsonl.gz"
