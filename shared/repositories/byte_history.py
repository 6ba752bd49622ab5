"""How many bytes lay where, in PostgreSQL."""

from datetime import date

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.byte_history import ByteDay

_QUERIES = load_queries(__file__)


class ByteHistoryRepository:
    """What folded changes come to on each day."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def read(self, first_day: date, last_day: date) -> list[ByteDay]:
        """What lay where at the end of each of these days, as far as that is known."""
        parameters = {"first_day": first_day, "last_day": last_day}
        rows = self._connection.execute(_QUERIES["read"], parameters).fetchall()
        return [
            ByteDay(
                day=row["day"],
                storage_tier=row["storage_tier"] or None,
                status=row["status"],
                artifacts=row["artifact_count"],
                bytes=int(row["size_bytes"]),
            )
            for row in rows
        ]
