"""Looks whether the seals of the audit trail's days hold, in the database and outside of it."""

from datetime import date

from shared.models.audit_proof import Findings, Reason, TrailDay
from shared.models.audit_seals import (
    DayClaims,
    DaySeal,
    SealKeys,
    ShardEnds,
    seal_hash,
    seal_path,
)
from shared.storage.kept_blobs import KeptBlobs


class SealChecks:
    """One day after the other, in order."""

    def __init__(
        self, kept: KeptBlobs, keys: SealKeys, findings: Findings, before: TrailDay | None
    ) -> None:
        self._kept = kept
        self._keys = keys
        self._findings = findings
        self._before = before
        self._previous = None if before is None else before.seal
        self._is_over = False
        """Whether a day without a seal was met: none after it has one."""
        self.sealed = 0

    def ends_before(self) -> ShardEnds | None:
        """Where the shards end before the first day, as the seal before it says; None: unknown."""
        if self._before is None:
            return {}
        seal = self._read(self._before, self._before.seal or "")
        self._compare_places(self._before)
        return None if seal is None else seal.ends

    def look(self, day: TrailDay) -> DaySeal | None:
        """What the day's seal says, if there is one to be believed."""
        if day.seal is None:
            self._is_over = True
            # Whoever sealed it may have been killed before he told the database.
            outside = self._outside(day)
            return self._follow(day, outside) if outside else None
        if self._is_over:
            self._tell(day, "it is sealed, and one before it is not")
        self._compare_places(day)
        return self._follow(day, day.seal)

    def compare(self, seal: DaySeal | None, claims: DayClaims) -> None:
        """Whether a seal says what the day is."""
        if seal is not None and not seal.tells(claims, seal.previous_seal):
            told = f"{claims.day} is not the day that was sealed"
            self._findings.add_day(claims.first_number, claims.last_number, told)

    def look_outside(self, days: set[date]) -> None:
        """Whether there are seals of days that the database does not know."""
        known = {seal_path(day) for day in days}
        for path in self._kept.paths():
            if path not in known:
                told = f"the seal {path[:100]} is of no day that the database knows"
                self._findings.add(None, Reason.SEAL, told)

    def _outside(self, day: TrailDay) -> str:
        return (self._kept.read(seal_path(day.day)) or b"").decode(errors="replace")

    def _compare_places(self, day: TrailDay) -> None:
        if self._outside(day) != day.seal:
            self._tell(day, "its seal is not the one that is kept outside the database")

    def _follow(self, day: TrailDay, text: str) -> DaySeal | None:
        previous, self._previous = self._previous, text
        seal = self._read(day, text)
        if seal is not None:
            self.sealed += 1
            if seal.previous_seal != seal_hash(previous):
                self._tell(day, "its seal names another one before it")
        return seal

    def _read(self, day: TrailDay, text: str) -> DaySeal | None:
        try:
            seal = DaySeal.read(text)
            _ = seal.ends
        except ValueError:
            self._tell(day, "its seal cannot be read")
            return None
        if not self._keys.confirm(seal):
            self._tell(day, "no key that is believed signed its seal")
            return None
        return seal

    def _tell(self, day: TrailDay, told: str) -> None:
        self._findings.add(day.first_number, Reason.SEAL, f"{day.day}: {told}")
