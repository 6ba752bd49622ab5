"""Proves files that months of the audit trail were exported to, by the seals, which stay."""

import gzip
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date
from hashlib import sha256
from io import BufferedReader, RawIOBase
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from shared.database.pool import Database
from shared.errors import SealConflict
from shared.models.audit import KeptEvent, event_hash
from shared.models.audit_entities import month_of
from shared.models.audit_proof import Digest, Findings, TrailDay
from shared.models.audit_retention import ExportedMonth, ExportProof
from shared.models.audit_seals import NO_END, DayClaims, SealKeys, ShardEnd, ShardEnds
from shared.models.merkle import MerkleTree
from shared.repositories.trail_proof import TrailProofRepository
from shared.repositories.trail_retention import TrailRetentionRepository
from shared.services.audit_digests import AuditDigests, last_day_of
from shared.services.audit_seal_checks import SealChecks
from shared.storage.kept_blobs import KeptBlobs

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LONGEST_LINE = 2**20
"""Of an event, whose details end at 256 KiB."""
_TOLD_EACH = 1000

Tell = Callable[[], None]
"""Called now and then; what it raises ends the work."""


class ExportedMonths:
    """A file may be anything, and as large as it likes: memory is bounded."""

    def __init__(
        self, database: Database, exports: KeptBlobs, seals: KeptBlobs, keys: SealKeys
    ) -> None:
        self._database = database
        self._digests = AuditDigests(database)
        self._exports = exports
        self._seals = seals
        self._keys = keys

    def prove_all(self) -> Iterator[ExportProof]:
        """Prove every exported month, oldest first, by the file that is kept.

        Raises SealConflict at the first that is not the very file that was exported.
        """
        for row in self._months().values():
            try:
                proof = self.prove(self._exports.chunks(row.exported_to))
            except SealConflict as fault:
                raise SealConflict(f"{row.exported_to}: {fault.summary}") from None
            if (proof.month, proof.sha256) != (row.month, row.sha256):
                raise SealConflict(f"{row.exported_to}: The file is not the one that was recorded.")
            yield proof

    def prove(
        self,
        chunks: Iterable[bytes],
        tell: Tell = lambda: None,
        *,
        has_digests: bool = False,
    ) -> ExportProof:
        """Prove that a file holds all events of a month as they were, and nothing else.

        Also by the database's digests, where it still has them. Raises SealConflict, which says
        what is wrong, StorageUnavailable and DatabaseUnavailable.
        """
        file = _Chunks(chunks)
        with _told_clearly(), gzip.open(BufferedReader(file)) as opened:
            events = _events(opened)
            first = next(events, None)
            if first is None:
                raise SealConflict("The file holds no event.")
            days = self._days(month_of(first.event.recorded_at))
            digests = self._digests_of(days) if has_digests else None
            proof = _Proof(chain([first], events), digests, tell)
            proof.read(days, *self._checks(days[0]))
        return self._told(days, file.sha256)

    def _days(self, month: date) -> list[TrailDay]:
        days = list(self._digests.days(month, last_day_of(month)))
        if not days:
            raise SealConflict(f"The database knows of no event in {month:%Y-%m}.")
        return days

    def _digests_of(self, days: Sequence[TrailDay]) -> Iterator[Digest]:
        return self._digests.digests(days[0].first_number, days[-1].last_number)

    def _checks(self, first: TrailDay) -> tuple[SealChecks, Findings]:
        with self._database.connection() as connection:
            before = TrailProofRepository(connection).day_before(first.day)
        findings = Findings()
        return SealChecks(self._seals, self._keys, findings, before), findings

    def _months(self) -> dict[date, ExportedMonth]:
        with self._database.connection() as connection:
            return TrailRetentionRepository(connection).months()

    def _told(self, days: Sequence[TrailDay], found: str) -> ExportProof:
        month = days[0].day.replace(day=1)
        recorded = self._months().get(month)
        return ExportProof(
            month=month,
            first_number=days[0].first_number,
            last_number=days[-1].last_number,
            events=days[-1].last_number - days[0].first_number + 1,
            days=len(days),
            sha256=found,
            is_recorded=recorded is not None and recorded.sha256 == found,
        )


class _Proof:
    """Events as they come, one day after the other."""

    def __init__(
        self, events: Iterator[KeptEvent], digests: Iterator[Digest] | None, tell: Tell
    ) -> None:
        self._events = events
        self._digests = digests
        self._tell = tell

    def read(self, days: Sequence[TrailDay], seals: SealChecks, findings: Findings) -> None:
        """All of them; raises SealConflict at the first one that is wrong."""
        ends = seals.ends_before()
        for day in days:
            _refuse(findings)
            claims = self._read_day(day, ends or {})
            seal = seals.look(day)
            if seal is None:
                _refuse(findings)
                raise SealConflict(f"{day.day} has no seal.")
            seals.compare(seal, claims)
            ends = claims.ends
        _refuse(findings)
        if next(self._events, None) is not None:
            raise SealConflict("The file holds more than the events of the month.")

    def _read_day(self, day: TrailDay, before: ShardEnds) -> DayClaims:
        tree, ends = MerkleTree(), dict(before)
        for number in range(day.first_number, day.last_number + 1):
            if number % _TOLD_EACH == 0:
                self._tell()
            kept = next(self._events, None)
            if kept is None:
                raise SealConflict(f"The file ends before event {number}.")
            event, hashed = kept.event, event_hash(kept.canonical.encode())
            previous = ends.get(event.shard, NO_END).hash.hex()
            if (event.number, event.previous) != (number, previous):
                raise SealConflict(f"Event {number} does not follow what is before it.")
            if event.recorded_at.astimezone(UTC).date() != day.day:
                raise SealConflict(f"Event {number} is not of {day.day}.")
            self._compare(number, hashed)
            tree.add(hashed)
            ends[event.shard] = ShardEnd(number, hashed)
        return DayClaims(day.day, day.first_number, day.last_number, tree.root, ends)

    def _compare(self, number: int, hashed: bytes) -> None:
        if self._digests is None:
            return
        digest = next(self._digests, None)
        if digest is None or (digest.number, digest.hash) != (number, hashed):
            raise SealConflict(f"Event {number} is not what the database has the digest of.")


class _Chunks(RawIOBase):
    """Bytes that come bit by bit, as a file that is read once, and their hash."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")
        self._hash = sha256()

    @property
    def sha256(self) -> str:
        """Of what was read."""
        return self._hash.hexdigest()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._hash.update(chunk)
            self._left = memoryview(chunk)
        wanted = memoryview(buffer)
        size = min(len(wanted), len(self._left))
        wanted[:size], self._left = self._left[:size], self._left[size:]
        return size


def _events(file: "BinaryIO | gzip.GzipFile") -> Iterator[KeptEvent]:
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        # One without an end is longer than any event, or cut off.
        kept = _event_in(line[:-1]) if line.endswith(b"\n") else None
        if kept is None:
            raise SealConflict(f"Line {number} of the file is no event.")
        yield kept


def _event_in(line: bytes) -> KeptEvent | None:
    try:
        kept = KeptEvent.read(line.decode())
        month_of(kept.event.recorded_at)
    except (ValueError, OverflowError):
        return None
    return kept


def _refuse(findings: Findings) -> None:
    if findings.first is not None:
        raise SealConflict(f"Event {findings.first.number}: {findings.first.told}.")


@contextmanager
def _told_clearly() -> Generator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SealConflict("The file is not gzip, or not all of it is there.") from None
