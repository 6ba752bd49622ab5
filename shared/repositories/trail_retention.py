"""Months of the audit trail that are exported and dropped, as PostgreSQL knows them."""

from datetime import date, datetime

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.audit_retention import ExportedMonth
from shared.models.registrations import Origin

_QUERIES = load_queries(__file__)


class TrailRetentionRepository:
    """Every statement about how the trail ends, month by month. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def months(self) -> dict[date, ExportedMonth]:
        """Months that are exported, by their first days."""
        rows = self._connection.execute(_QUERIES["months"]).fetchall()
        return {row["month"]: ExportedMonth(**row) for row in rows}

    def record_export(self, exported: ExportedMonth, origin: Origin) -> None:
        """Say that a month is exported, unless it is already."""
        told = exported._asdict()
        parameters = {name: told[name] for name in ExportedMonth._fields[:5]}
        self._connection.execute(_QUERIES["record_export"], parameters | origin.as_json())

    def begin_drop(self, month: date, dropped_at: datetime) -> None:
        """Keep everybody from reading a month."""
        parameters = {"month": month, "dropped_at": dropped_at}
        self._connection.execute(_QUERIES["begin_drop"], parameters)

    def undo_drop(self, month: date) -> None:
        """Let it be read again, where nothing of it was taken away."""
        self._connection.execute(_QUERIES["undo_drop"], {"month": month})

    def remove_digests(self, first: int, last: int) -> None:
        """Forget the digests of the events from one to another."""
        self._connection.execute(_QUERIES["remove_digests"], {"first": first, "last": last})

    def end_drop(self, month: date, removed_at: datetime, origin: Origin) -> None:
        """Say that nothing of a month is left but its days and their seals."""
        parameters = {"month": month, "removed_at": removed_at}
        self._connection.execute(_QUERIES["end_drop"], parameters | origin.as_json())
