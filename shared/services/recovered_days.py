"""Days of the audit trail that are taken up again, against the seals that were made of them."""

from datetime import UTC, date

from shared.errors import SealConflict
from shared.models.audit import KeptEvent, event_hash
from shared.models.audit_seals import DaySeal, SealKeys, seal_path
from shared.models.merkle import MerkleTree
from shared.services.audit_digests import AuditDigests
from shared.storage.kept_blobs import KeptBlobs


class RecoveredDays:
    """One event after the other; of the first day, the database knows how it began."""

    def __init__(self, digests: AuditDigests, kept: KeptBlobs, keys: SealKeys) -> None:
        self._digests = digests
        self._kept = kept
        self._keys = keys
        self._day = date.min
        self._first = self._last = 0
        self._tree = MerkleTree()
        self.sealed = 0

    def add(self, kept: KeptEvent) -> None:
        """Raises SealConflict where a day is over that is not the one that was sealed."""
        event = kept.event
        day = event.recorded_at.astimezone(UTC).date()
        if day != self._day:
            self.end()
            self._begin(day, event.number)
        self._tree.add(event_hash(kept.canonical.encode()))
        self._last = event.number

    def end(self) -> None:
        """The same of the last day."""
        text = self._kept.read(seal_path(self._day)) if self._last else None
        if text is None:
            return
        if not self._is_sealed_by(text):
            raise SealConflict(f"{self._day} in the table is not the day that was sealed.")
        self.sealed += 1

    def _begin(self, day: date, number: int) -> None:
        self._day, self._first, self._tree = day, number, MerkleTree()
        for known in self._digests.days(day, day):
            self._first = known.first_number
            for digest in self._digests.digests(known.first_number, known.last_number):
                self._tree.add(digest.hash)

    def _is_sealed_by(self, text: bytes) -> bool:
        try:
            seal = DaySeal.read(text)
        except ValueError:
            return False
        told = (seal.day, seal.first_number, seal.last_number, seal.root)
        found = (self._day, self._first, self._last, self._tree.root.hex())
        return told == found and self._keys.confirm(seal)
