"""The audit trail, as functions and commands reach it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from shared.database.pool import Database
from shared.services.attempts import Attempts
from shared.services.audit_trail import AuditTrailService
from shared.services.trail_kick import TrailKick
from shared.services.trail_relay import TrailRelay
from shared.storage.audit_table import AuditTable
from shared.storage.queues import StorageQueue


@dataclass(frozen=True)
class Audit:
    """Everything about the audit trail."""

    relay: TrailRelay
    trail: AuditTrailService
    attempts: Attempts
    kick: TrailKick

    @classmethod
    def of(
        cls,
        database: Database,
        table: AuditTable,
        clock: Callable[[], datetime],
        queue: StorageQueue | None = None,
    ) -> Self:
        """All parts over one database and one account; `queue` wakes the relay."""
        return cls(
            relay=TrailRelay(database, table, clock),
            trail=AuditTrailService(database, table),
            attempts=Attempts(database, clock),
            kick=TrailKick(queue),
        )
