"""What proves that the audit trail is whole, and what is said where it is not."""

from collections import Counter
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.models.audit_seals import ShardEnds


class Digest(NamedTuple):
    """What the database keeps of an event that is written."""

    number: int
    event_id: UUID
    recorded_at: datetime
    shard: int
    artifact_id: UUID | None
    hash: bytes


class TrailDay(NamedTuple):
    """A day on which events were recorded, in UTC."""

    day: date
    first_number: int
    last_number: int
    seal: str | None


class TrailState(NamedTuple):
    """Where the trail is at an instant."""

    number: int
    """Of its last event."""
    written: int
    """Up to this one, all are in the table."""
    ends: ShardEnds


class Reason(StrEnum):
    """What is wrong with an event, or with the day that it is in."""

    EDITED = "edited"
    """What the table holds is not what the database has a digest of."""
    SWAPPED = "swapped"
    """The table holds another event in its place."""
    MISSING = "missing"
    """The table does not hold it, or lacks its copy by artifact."""
    INSERTED = "inserted"
    """The database knows of no event there."""
    DIGEST = "digest"
    """The database's own record of it says something else than the event."""
    GAP = "gap"
    """The database lacks its digest."""
    CHAIN = "chain"
    """The event after it in its shard names another one."""
    DAYS = "days"
    """The days of the database do not follow each other."""
    ROOT = "root"
    """The day from it on is not the one that was sealed."""
    SEAL = "seal"
    """The day from it on has no seal that is believed, or not the same one in both places."""


class Fault(NamedTuple):
    """One thing that is wrong, and the event that it begins with; None for what has no number."""

    number: int | None
    reason: Reason
    told: str


class Findings:
    """All that is wrong: how much of each kind, and the first of it.

    Of a day that is not what was sealed, the event to blame is named where anything tells it.
    """

    def __init__(self) -> None:
        self.counts = Counter[Reason]()
        self.first: Fault | None = None
        self._place: tuple[bool, int, bool] = (True, 0, True)

    def add(self, number: int | None, reason: Reason, told: str, count: int = 1) -> None:
        """Say that something is wrong with an event, or with something that has no number."""
        place = (number is None, number or 0, False)
        self._add(place, Fault(number, reason, told), count)

    def add_day(self, first: int, last: int, told: str) -> None:
        """Say that a day is not what was sealed."""
        self._add((False, last, True), Fault(first, Reason.ROOT, told), 1)

    def _add(self, place: tuple[bool, int, bool], fault: Fault, count: int) -> None:
        self.counts[fault.reason] += count
        if self.first is None or place < self._place:
            self.first, self._place = fault, place


class ProofProgress(NamedTuple):
    """How far a verification is."""

    day: date
    events: int
    of_events: int


class AuditProof(BaseModel):
    """What came of verifying the trail."""

    model_config = ConfigDict(frozen=True)

    is_whole: bool
    first_bad: Fault | None
    """The lowest number of all that is wrong."""
    faults: dict[Reason, int]
    first_number: int | None
    last_number: int | None
    """Events after it were not all written yet when the verification began."""
    events: int
    copies: int
    """Events that the table holds a second time, by artifact."""
    days: int
    sealed_days: int
    dropped_days: int
    """Whose events are exported and gone; their seals were verified."""
    key_id: str
    """The public key that seals are signed with now."""
