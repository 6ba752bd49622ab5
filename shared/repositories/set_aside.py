"""Messages set aside, in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries

_QUERIES = load_queries(__file__)


class SetAsideRepository:
    """Every statement about messages set aside. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def add(
        self,
        set_aside_id: UUID,
        *,
        source: str,
        body: bytes,
        reason: str,
        explanation: str,
        at: datetime,
    ) -> None:
        """Keep a message, once."""
        parameters = {
            "set_aside_id": set_aside_id,
            "source": source,
            "body": body,
            "reason": reason,
            "explanation": explanation,
            "set_aside_at": at,
        }
        self._connection.execute(_QUERIES["set_aside"], parameters)
