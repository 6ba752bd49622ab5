"""Proves the audit trail whole, and equal to the database; names the first bad event."""

from collections.abc import Callable
from datetime import date

from shared.database.pool import Database
from shared.models.audit_proof import (
    AuditProof,
    Findings,
    ProofProgress,
    Reason,
    TrailDay,
)
from shared.models.audit_seals import NO_END, SealKeys
from shared.services.audit_comparison import Chain
from shared.services.audit_digests import AuditDigests, DayDigest, by_month, last_day_of
from shared.services.audit_month import Examination, MonthComparison
from shared.services.audit_seal_checks import SealChecks
from shared.storage.audit_table import AuditTable
from shared.storage.kept_blobs import KeptBlobs


class AuditVerifier:
    """Compares three places: the table, the database's digests, and the seals kept elsewhere.

    Whoever changes one of them, or two, is found by the others. Memory is bounded, however long
    the trail is: a page of a thousand at a time, and what is known of each day.
    """

    def __init__(
        self, database: Database, table: AuditTable, kept: KeptBlobs, keys: SealKeys
    ) -> None:
        self._digests = AuditDigests(database)
        self._table = table
        self._kept = kept
        self._keys = keys

    def verify(
        self,
        start: date | None = None,
        end: date | None = None,
        progress: Callable[[ProofProgress], None] = lambda _: None,
    ) -> AuditProof:
        """Verify the days from `start` to `end`, both included; without them, all.

        Days before `start` are taken along where it is not sealed yet. What is written meanwhile
        is not missed; where a month goes meanwhile that need not be kept, all is verified again.
        Raises StorageUnavailable, DatabaseUnavailable.
        """
        while True:
            dropped = self._digests.dropped_months()
            proof = self._verify(start, end, progress)
            if proof.is_whole or dropped == self._digests.dropped_months():
                return proof

    def _verify(
        self, start: date | None, end: date | None, progress: Callable[[ProofProgress], None]
    ) -> AuditProof:
        first, before = self._digests.start(start or date.min)
        findings = Findings()
        seals = SealChecks(self._kept, self._keys, findings, before)
        run = _Run(self._digests, self._table, findings, seals, before, progress)
        run.look_at(first, end or date.max)
        run.look_beyond()
        if end is None:
            run.look_at_end()
        if start is None and end is None:
            run.look_for_strays()
        return run.proof(self._keys.key_id)


class _Run:
    """One verification: what is known so far."""

    def __init__(
        self,
        digests: AuditDigests,
        table: AuditTable,
        findings: Findings,
        seals: SealChecks,
        before: TrailDay | None,
        progress: Callable[[ProofProgress], None],
    ) -> None:
        # Read before anything else: all that it says is written can be found from now on.
        self._state = digests.state()
        self._dropped = digests.dropped_months()
        self._digests = digests
        self._table = table
        self._findings = findings
        self._chain = Chain()
        self._seals = seals
        self._last = 0 if before is None else before.last_number
        self._ends = seals.ends_before()
        self._days: list[TrailDay] = []
        self._events = self._copies = self._compared = 0
        self._progress = progress

    def look_at(self, first: date, last: date) -> None:
        """The days between these, with all that the table has of them."""
        days = self._digests.days(first, last)
        self._days = [day for day in days if day.first_number <= self._state.written]
        for month, of_month in by_month(self._days).items():
            if month in self._dropped:
                self._look_at_dropped(of_month)
            else:
                self._look_at_month(month, of_month, (first, last))

    def look_beyond(self) -> None:
        """Whether what looks as if it had come meanwhile has numbers that come next."""
        number = self._digests.beyond()
        if number is not None:
            told = "the database has a digest of it, and the trail ends before it"
            self._findings.add(number, Reason.DIGEST, told)

    def look_at_end(self) -> None:
        """Whether the days reach the last event that has a number."""
        if self._last < self._state.written:
            self._chain.gap(self._last + 1)
            told = "the days in the database end before it"
            self._findings.add(self._last + 1, Reason.DAYS, told)
        if self._ends is None or self._state.written < self._state.number:
            return
        for shard, end in self._state.ends.items():
            beyond = self._state.number + 1 + shard
            self._chain.link(beyond, end.hash.hex(), self._ends.get(shard, NO_END))

    def look_for_strays(self) -> None:
        """Seals of days, and tables of months, that the database does not know."""
        # A day that began when the verification did may be over, and sealed, by now.
        sealed = {day.day for day in self._digests.days(date.min, date.max) if day.seal}
        self._seals.look_outside({day.day for day in self._days} | sealed)
        known = {day.day.replace(day=1) for day in self._days} - self._dropped
        for month in self._table.months():
            if month not in known:
                MonthComparison(self._examination(), month, []).run()

    def proof(self, key_id: str) -> AuditProof:
        """What came of it."""
        self._chain.tell(self._findings)
        numbers = [number for day in self._days for number in day[1:3]]
        return AuditProof(
            is_whole=self._findings.first is None,
            first_bad=self._findings.first,
            faults=dict(self._findings.counts),
            first_number=numbers[0] if numbers else None,
            last_number=min(numbers[-1], self._state.written) if numbers else None,
            events=self._events,
            copies=self._copies,
            days=len(self._days),
            sealed_days=self._seals.sealed,
            dropped_days=sum(day.day.replace(day=1) in self._dropped for day in self._days),
            key_id=key_id,
        )

    def _look_at_dropped(self, days: list[TrailDay]) -> None:
        for day in days:
            self._follow(day)
            seal = self._seals.look(day)
            if seal is None or (seal.first_number, seal.last_number) != day[1:3]:
                told = f"{day.day} is dropped, and no seal says what it was"
                self._findings.add(day.first_number, Reason.SEAL, told)
            self._ends = None if seal is None else seal.ends

    def _look_at_month(self, month: date, days: list[TrailDay], asked: tuple[date, date]) -> None:
        whole = (month, last_day_of(month))
        bounds = (max(asked[0], whole[0]), min(asked[1], whole[1]))
        read = [self._read(day) for day in days]
        comparison = MonthComparison(
            self._examination(), month, read, None if bounds == whole else bounds
        )
        comparison.run()
        self._events += comparison.events
        self._copies += comparison.copies

    def _examination(self) -> Examination:
        return Examination(
            self._digests,
            self._table,
            self._findings,
            self._chain,
            self._state.written,
            self._advance,
        )

    def _advance(self, day: date, events: int) -> None:
        self._compared += events
        total = self._state.written - self._days[0].first_number + 1
        self._progress(ProofProgress(day, self._compared, total))

    def _read(self, day: TrailDay) -> DayDigest:
        self._follow(day)
        written = self._state.written
        settled = day._replace(last_number=min(day.last_number, written))
        digest = self._digests.read_day(settled, self._ends, self._tell)
        if settled == day:  # a day that is under way has no seal
            self._seals.compare(self._seals.look(day), digest.claims)
        self._ends = digest.claims.ends
        return digest

    def _follow(self, day: TrailDay) -> None:
        if day.first_number != self._last + 1 or day.last_number < day.first_number:
            self._chain.gap(self._last + 1)
            told = f"{day.day} does not follow the day before it"
            self._findings.add(self._last + 1, Reason.DAYS, told)
        self._last = day.last_number

    def _tell(self, number: int, reason: Reason, told: str) -> None:
        if reason is Reason.GAP:
            self._chain.gap(number)
        self._findings.add(number, reason, told)
