"""Figures of builds in PostgreSQL: totals, and changes that are folded into them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.build_dashboard import StateDurations

_QUERIES = load_queries(__file__)

Figures = Mapping[str, Sequence[tuple[str, Decimal]]]
"""Of each figure its largest values with their sums, the largest first; '' stands for none."""


class BuildDashboardRepository:
    """Every statement about figures of builds. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def fold_changes(self, *, most: int, at_least: int) -> int:
        """Fold up to `most` changes where there are `at_least` so many; tells how many it were."""
        parameters = {"most": most, "at_least": at_least}
        row = self._connection.execute(_QUERIES["fold_changes"], parameters).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        return row["folded"]

    def read_totals(self, project: str | None, most: int) -> Figures:
        """Of one project, or of all builds, at one instant, waiting changes included."""
        parameters = {"project": project, "most": most}
        figures = defaultdict[str, list[tuple[str, Decimal]]](list)
        for row in self._connection.execute(_QUERIES["read_totals"], parameters):
            figures[row["figure"]].append((row["value"], row["amount"]))
        return figures

    def durations(self, most: int) -> list[StateDurations]:
        """By state, of its latest `most` completed attempts."""
        rows = self._connection.execute(_QUERIES["durations"], {"most": most}).fetchall()
        return [_durations(**row) for row in rows]


def _durations(state: int, attempts: int, percentiles: Sequence[float]) -> StateDurations:
    p50, p90, p95, p99 = percentiles
    return StateDurations(
        state=state,
        attempts=attempts,
        p50_seconds=p50,
        p90_seconds=p90,
        p95_seconds=p95,
        p99_seconds=p99,
    )
