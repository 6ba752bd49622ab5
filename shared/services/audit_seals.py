"""Seals the days of the audit trail: signed roots, kept in the database and outside of it."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from time import monotonic

from shared.database.pool import Database
from shared.errors import SealConflict
from shared.models.audit_proof import Reason, TrailDay
from shared.models.audit_seals import DayClaims, DaySeal, SealKeys, ShardEnds, seal_hash, seal_path
from shared.repositories.trail import TrailRepository
from shared.repositories.trail_proof import TrailProofRepository
from shared.services.audit_beyond import ends_as_known
from shared.services.audit_digests import AuditDigests
from shared.storage.audit_table import AuditTable
from shared.storage.kept_blobs import KeptBlobs

_LOGGER = logging.getLogger(__name__)


class TrailSeals:
    """One day after the other, oldest first; killed anywhere, the next call does the same again.

    A day is closed before it is sealed, so that none of its events can follow. Its seal is first
    kept where it cannot be written again, and then in the database.
    """

    def __init__(
        self,
        database: Database,
        table: AuditTable,
        kept: KeptBlobs,
        keys: SealKeys,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._table = table
        self._digests = AuditDigests(database)
        self._kept = kept
        self._keys = keys
        self._clock = clock

    def seal_days(self, seconds: float) -> int:
        """Seal days that are over, for about so long; answers with how many it sealed.

        Raises SealConflict where the trail is not what it was, or lacks events: nothing is sealed
        then. A restored database lacks some: a day that was closed would hide what the table has
        of it, also from who asks whether there is more. Raises StorageUnavailable,
        DatabaseUnavailable.
        """
        end, sealed = monotonic() + seconds, 0
        if not ends_as_known(self._database, self._table):
            return 0
        while monotonic() < end and (day := self.close_next()) is not None:
            self._seal(day)
            sealed += 1
        return sealed

    def close_next(self) -> TrailDay | None:
        """The oldest day to be sealed, closed; None where there is none, or it is not written."""
        with self._database.connection() as connection, connection.transaction():
            # Whoever numbers events holds this row too, and starts from the time that it has.
            TrailRepository(connection).lock_end()
            trail = TrailProofRepository(connection)
            day = trail.first_unsealed()
            if day is None or trail.state().written < day.last_number:
                return None
            following = datetime.combine(day.day + timedelta(days=1), time(), UTC)
            if self._clock() < following:
                return None
            trail.close_day(following)
            return day

    def _seal(self, day: TrailDay) -> None:
        with self._database.connection() as connection:
            before = TrailProofRepository(connection).day_before(day.day)
        previous = None if before is None else before.seal
        ends: ShardEnds = {} if previous is None else DaySeal.read(previous).ends
        claims = self._digests.read_day(day, ends, _refuse).claims
        text = self._keep(claims, seal_hash(previous))
        with self._database.connection() as connection:
            TrailProofRepository(connection).keep_seal(day.day, text, self._clock())
        _LOGGER.info("audit day sealed: day=%s root=%s", day.day, claims.root.hex())

    def _keep(self, claims: DayClaims, previous: str) -> str:
        """The text of the seal that is kept outside: ours, or an equal one of an earlier key's."""
        text = self._keys.seal(claims, previous).text
        path = seal_path(claims.day)
        if self._kept.keep(path, text.encode()):
            return text
        found = (self._kept.read(path) or b"").decode(errors="replace")
        if found != text and not self._is_equal(found, claims, previous):
            raise SealConflict(f"The seal of {claims.day} that is kept outside says otherwise.")
        return found

    def _is_equal(self, text: str, claims: DayClaims, previous: str) -> bool:
        try:
            seal = DaySeal.read(text)
        except ValueError:
            return False
        return seal.tells(claims, previous) and self._keys.confirm(seal)


def _refuse(number: int, _: Reason, told: str) -> None:
    raise SealConflict(f"The day of event {number} cannot be sealed: {told}.")
