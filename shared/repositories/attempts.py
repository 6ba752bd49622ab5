"""Attempts in PostgreSQL: events that no change writes."""

from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.attempts import Attempt

_QUERIES = load_queries(__file__)


class AttemptRepository:
    """Every statement about attempts. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def record(self, attempt: Attempt, at: datetime) -> None:
        """Write an event, or fail within a second; to be called in a transaction."""
        parameters = {
            "occurred_at": at,
            "operation": attempt.doing.operation,
            "action": attempt.doing.action,
            "actor": attempt.origin.actor,
            "request_id": attempt.origin.request_id,
            "artifact_id": attempt.artifact_id,
            "run_id": attempt.run_id,
            "error": attempt.error,
            "details": Jsonb(dict(attempt.details)),
        }
        self._connection.execute(_QUERIES["limit_waiting"])
        self._connection.execute(_QUERIES["record"], parameters)
