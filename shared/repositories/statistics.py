"""Figures in PostgreSQL: totals, and changes that are folded into them."""

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.axes import Status
from shared.models.statistics import Statistics, StatusFigures

_QUERIES = load_queries(__file__)


class StatisticsRepository:
    """Every statement about figures. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def fold_changes(self, *, most: int, at_least: int) -> int:
        """Fold up to `most` changes where there are `at_least` so many; tells how many it were."""
        parameters = {"most": most, "at_least": at_least}
        row = self._connection.execute(_QUERIES["fold_changes"], parameters).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        return row["folded"]

    def read(self, client_type: str | None) -> Statistics:
        """What a client, or all, registered until one instant, waiting changes included."""
        parameters = {"client_type": client_type}
        rows = self._connection.execute(_QUERIES["read_statistics"], parameters).fetchall()
        told = {Status(row["status"]): _figures(row) for row in rows}
        return Statistics(
            artifact_count=sum(figures.artifact_count for figures in told.values()),
            size_bytes=sum(figures.size_bytes for figures in told.values()),
            row_count=sum(figures.row_count for figures in told.values()),
            asset_count=sum(row["asset_count"] for row in rows),
            statuses={status: told.get(status, StatusFigures()) for status in Status},
        )


def _figures(row: DictRow) -> StatusFigures:
    return StatusFigures(
        artifact_count=row["artifact_count"],
        size_bytes=int(row["size_bytes"]),
        row_count=int(row["row_count"]),
    )
