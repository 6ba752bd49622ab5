"""Points at which whoever ends months of the audit trail can kill itself: as in `killing`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from shared.database.pool import Database
from shared.models.audit_retention import KeepingTime
from shared.repositories.trail_retention import TrailRetentionRepository
from shared.services import audit_retention
from shared.services.audit_exported import ExportedMonths
from shared.services.audit_retention import TrailRetention
from shared.services.audit_verification import AuditVerifier
from shared.storage.audit_table import AuditTable
from shared.storage.kept_blobs import KeptBlobs
from tests.faults.killing import die, die_after, die_before, die_while
from tests.faults.places import POOL_SIZE, Place
from tests.integration.proving import KEYS
from tests.integration.retaining import ORIGIN


def die_in_mid_writing() -> None:
    real: Any = audit_retention.exported

    def dying(*arguments: Any) -> Iterator[bytes]:
        yield next(real(*arguments))
        die()

    audit_retention.exported = dying


Points = dict[str, Callable[[], None]]

EXPORTING: Points = {
    "after verifying": partial(die_after, AuditVerifier, "verify"),
    "before writing": partial(die_before, KeptBlobs, "keep"),
    "in mid writing": die_in_mid_writing,
    "after writing": partial(die_after, KeptBlobs, "keep"),
    "after proving": partial(die_after, ExportedMonths, "prove"),
    "before recording": partial(die_before, TrailRetentionRepository, "record_export"),
    "while recording": partial(die_while, TrailRetentionRepository, "record_export"),
}
DROPPING: Points = {
    "before keeping readers away": partial(die_before, TrailRetentionRepository, "begin_drop"),
    "while keeping readers away": partial(die_while, TrailRetentionRepository, "begin_drop"),
    "after keeping readers away": partial(die_after, TrailRetentionRepository, "begin_drop"),
    "before deleting": partial(die_before, AuditTable, "drop"),
    "after deleting": partial(die_after, AuditTable, "drop"),
    "while removing": partial(die_while, TrailRetentionRepository, "remove_digests"),
    "after removing": partial(die_after, TrailRetentionRepository, "remove_digests"),
    "before ending": partial(die_before, TrailRetentionRepository, "end_drop"),
    "while ending": partial(die_while, TrailRetentionRepository, "end_drop"),
}
"""In the order of the way, which each leaves as if the ones before it had not happened."""


@dataclass(frozen=True)
class Months:
    """Where the months are, and how they are kept."""

    prefix: str
    seals: str
    exports: str
    keeping: KeepingTime


def retain_until(place: Place, months: Months, now: datetime, point: str) -> None:
    """End months, and die where it comes to the point."""
    (EXPORTING | DROPPING)[point]()
    database = Database(place.database_url, size=POOL_SIZE, timeout_seconds=10)
    table = AuditTable(place.connection_string, months.prefix)
    seals = KeptBlobs(place.connection_string, months.seals)
    exports = KeptBlobs(place.connection_string, months.exports)
    TrailRetention(
        database,
        table,
        exports,
        verifier=AuditVerifier(database, table, seals, KEYS),
        exported_months=ExportedMonths(database, exports, seals, KEYS),
        keeping=months.keeping,
        clock=lambda: now,
    ).retain(60, ORIGIN)
