"""Comparing what the store holds with what is registered."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Finding(StrEnum):
    """How store and registry differ about a blob."""

    UNREGISTERED = "unregistered"
    ETAG = "etag"
    """Other states of it are registered, this one is not."""
    SIZE = "size"
    """This state of it is registered with another size."""
    RETURNED = "returned"
    """It is there, and registered as missing."""
    MISSING = "missing"
    """It is registered, and not there."""


@dataclass(frozen=True)
class Difference:
    """A blob about which store and registry differ, or did before it was repaired."""

    path: str
    finding: Finding
    is_repaired: bool
    reason: str | None = None
    """Why it could not be repaired, where that was tried."""


@dataclass
class Compared:
    """How many were compared, and what was found."""

    blobs: int = 0
    artifacts: int = 0
    found: Counter[Finding] = field(default_factory=Counter[Finding])
    repaired: Counter[Finding] = field(default_factory=Counter[Finding])

    @property
    def remaining(self) -> int:
        """Differences that are still there."""
        return self.found.total() - self.repaired.total()
