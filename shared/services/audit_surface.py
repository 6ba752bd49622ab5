"""The audit trail, as functions and commands reach it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from shared.database.pool import Database
from shared.services.trail_relay import TrailRelay
from shared.storage.audit_table import AuditTable


@dataclass(frozen=True)
class Audit:
    """Everything about the audit trail."""

    relay: TrailRelay

    @classmethod
    def of(cls, database: Database, table: AuditTable, clock: Callable[[], datetime]) -> Self:
        """All parts over one database and one account."""
        return cls(relay=TrailRelay(database, table, clock))
