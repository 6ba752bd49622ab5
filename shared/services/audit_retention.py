"""Ends the audit trail where it is long enough: months are exported, proven, and dropped later."""

import logging
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from time import monotonic
from typing import NamedTuple

from shared.database.pool import Database
from shared.errors import Retryable, SealConflict
from shared.models.attempts import Doing
from shared.models.audit_proof import TrailDay
from shared.models.audit_retention import (
    ExportedMonth,
    ExportProof,
    KeepingTime,
    Retained,
    export_path,
)
from shared.models.registrations import Origin
from shared.repositories.trail_retention import TrailRetentionRepository
from shared.services.attempts import Attempts
from shared.services.audit_digests import AuditDigests, by_month, last_day_of
from shared.services.audit_exported import ExportedMonths
from shared.services.audit_month_files import exported
from shared.services.audit_verification import AuditVerifier
from shared.storage.audit_table import AuditTable
from shared.storage.kept_blobs import KeptBlobs

_LATER = timedelta(days=1)
"""So long an export is there before its month is dropped: for somebody else to look, and copy."""
_REMOVED_AT_ONCE = 5_000
_EXPORTING = Doing("audit_month_exported", "export")
_DROPPING = Doing("audit_month_dropped", "drop")

_LOGGER = logging.getLogger(__name__)


class _Due(NamedTuple):
    """A month that need not be kept any more, or that is on its way out already."""

    month: date
    days: list[TrailDay]
    exported: ExportedMonth | None


class TrailRetention:
    """One step a run and month, each of which may be killed anywhere and repeated by anybody.

    A month is verified, written where it cannot be written again, read back and proven; then the
    database says so. A day later at the soonest all of that holds still, or the month stays.
    Readers are then told that it is gone, and only then it goes: its table, and its digests.
    Days and seals stay, and prove the file for good.
    """

    def __init__(
        self,
        database: Database,
        table: AuditTable,
        exports: KeptBlobs,
        *,
        verifier: AuditVerifier,
        exported_months: ExportedMonths,
        keeping: KeepingTime,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._digests = AuditDigests(database)
        self._table = table
        self._exports = exports
        self._verifier = verifier
        self._exported = exported_months
        self._keeping = keeping
        self._attempts = Attempts(database, clock)
        self._clock = clock

    def retain(self, seconds: float, origin: Origin) -> Retained:
        """Take each month that is due one step further, oldest first, for about so long.

        One that cannot be taken further stays as it is, with a warning; the others go on.
        Raises DatabaseUnavailable.
        """
        done = Counter[str]()
        end = monotonic() + seconds
        for due in self._due():
            if monotonic() >= end:
                break
            try:
                done[self._step(due, lambda: _check(end), origin)] += 1
            except (SealConflict, Retryable) as fault:
                done["refused"] += 1
                self._tell(due, fault, origin)
        return Retained(done["exported"], done["dropped"], done["refused"])

    def _tell(self, due: _Due, fault: SealConflict | Retryable, origin: Origin) -> None:
        month = f"{due.month:%Y-%m}"
        _LOGGER.warning("audit month kept: month=%s reason=%s", month, fault.summary)
        doing = _EXPORTING if due.exported is None else _DROPPING
        self._attempts.record_fault(doing, origin, fault, {"month": month})

    def _due(self) -> list[_Due]:
        now = self._clock()
        last_day = self._keeping.last_day(now)
        if last_day is None:
            return []
        written = self._digests.state().written
        with self._trail() as trail:
            known = trail.months()
        months = by_month(self._digests.days(date.min, last_day)).items()
        found = [_Due(month, days, known.get(month)) for month, days in months]
        return [due for due in found if self._is_due(due, written, now)]

    def _is_due(self, due: _Due, written: int, now: datetime) -> bool:
        if due.exported is not None and due.exported.dropped_at is not None:
            return due.exported.removed_at is None
        last = due.days[-1]
        is_closed = last.last_number <= written and all(day.seal for day in due.days)
        return is_closed and self._keeping.is_over(last.day, now)

    def _step(self, due: _Due, tell: Callable[[], None], origin: Origin) -> str:
        if due.exported is None:
            self._export(due, tell, origin)
            return "exported"
        if due.exported.dropped_at is None:
            if self._clock() < due.exported.exported_at + _LATER:
                return "waiting"
            self._prove_again(due, due.exported, tell)
        self._drop(due, tell, origin)
        return "dropped"

    def _export(self, due: _Due, tell: Callable[[], None], origin: Origin) -> None:
        self._verify(due, tell)
        path = export_path(due.month)
        # One that is there already is proven like our own: whoever wrote it may have been killed.
        if next(self._exports.chunks(path), None) is None:
            self._exports.keep(path, exported(self._table, self._digests, due.days, tell))
        proof = self._prove(due, path, tell)
        now = self._clock()
        row = ExportedMonth(due.month, path, now, proof.events, proof.sha256, None, None)
        with self._trail() as trail:
            trail.record_export(row, origin)
        _LOGGER.info("audit month exported: month=%s events=%s", f"{due.month:%Y-%m}", row.events)

    def _prove_again(self, due: _Due, row: ExportedMonth, tell: Callable[[], None]) -> None:
        self._verify(due, tell)
        if not self._prove(due, row.exported_to, tell).is_recorded:
            raise SealConflict("The exported file is not the one that was recorded.")

    def _verify(self, due: _Due, tell: Callable[[], None]) -> None:
        """What is dropped must be what it was: nobody looks into it afterwards."""
        found = self._verifier.verify(due.month, last_day_of(due.month), lambda _: tell())
        if found.first_bad is not None:
            number, reason, told = found.first_bad
            raise SealConflict(f"The month does not verify: event {number}: {told} ({reason}).")

    def _prove(self, due: _Due, path: str, tell: Callable[[], None]) -> ExportProof:
        proof = self._exported.prove(self._exports.chunks(path), tell, has_digests=True)
        if proof.month != due.month:
            raise SealConflict("The exported file is of another month.")
        return proof

    def _drop(self, due: _Due, tell: Callable[[], None], origin: Origin) -> None:
        with self._trail() as trail:
            trail.begin_drop(due.month, self._clock())
        if due.month in self._table.months() and not self._table.drop(due.month):
            with self._trail() as trail:
                trail.undo_drop(due.month)
            raise Retryable("The account that holds the trail does not let us delete its table.")
        last = due.days[-1].last_number
        for first in range(due.days[0].first_number, last + 1, _REMOVED_AT_ONCE):
            tell()
            with self._trail() as trail:
                trail.remove_digests(first, min(first + _REMOVED_AT_ONCE - 1, last))
        with self._trail() as trail:
            trail.end_drop(due.month, self._clock(), origin)
        _LOGGER.info("audit month dropped: month=%s", f"{due.month:%Y-%m}")

    @contextmanager
    def _trail(self) -> Generator[TrailRetentionRepository]:
        with self._database.connection() as connection:
            yield TrailRetentionRepository(connection)


def _check(end: float) -> None:
    if monotonic() >= end:
        raise Retryable("It takes longer than there is time: run 'registry audit retain'.")
