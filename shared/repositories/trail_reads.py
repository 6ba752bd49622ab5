"""Where in the audit trail to look, as PostgreSQL knows it."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries

_QUERIES = load_queries(__file__)


class TrailDay(NamedTuple):
    """A day in UTC on which events were recorded, and when what they tell of happened."""

    day: date
    first_number: int
    last_number: int
    earliest: datetime
    latest: datetime


class TrailReadRepository:
    """Every statement that looks for events which are written."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def written_end(self) -> int:
        """The number below which every event is written."""
        row = self._connection.execute(_QUERIES["written_end"]).fetchone()
        assert row is not None  # noqa: S101 - the trail has an end
        return row["number"]

    def days(self, until: date, most: int) -> list[TrailDay]:
        """Days whose events are kept, the latest first."""
        return [TrailDay(**row) for row in self._rows("days", until=until, most=most)]

    def recorded_at(self, numbers: Collection[int]) -> dict[int, datetime]:
        """When events were recorded, of those that are kept."""
        rows = self._rows("recorded_at", numbers=list(numbers))
        return {row["number"]: row["recorded_at"] for row in rows}

    def _rows(self, name: str, **parameters: Any) -> list[DictRow]:
        return self._connection.execute(_QUERIES[name], parameters).fetchall()
