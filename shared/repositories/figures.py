"""Figures by value and by day in PostgreSQL; folded with those of `StatisticsRepository`."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.figures import CountedValue, OperationErrors

_QUERIES = load_queries(__file__)


class FiguresRepository:
    """Every statement about these figures; none of them changes anything."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def read(
        self, client_type: str | None, first_day: date, most: int
    ) -> Mapping[str, list[CountedValue]]:
        """Of one client or of all, by figure: its `most` largest values, and all days since one."""
        parameters = {
            "client_type": client_type,
            "first_day": first_day.isoformat(),
            "most": most,
        }
        found = defaultdict[str, list[CountedValue]](list)
        for row in self._connection.execute(_QUERIES["read_figures"], parameters):
            found[row["figure"]].append(_value(row))
        return found

    def read_errors(self, first_day: date, most: int) -> tuple[int, list[OperationErrors]]:
        """How many attempts failed since a day, and of which operations the most did."""
        parameters = {"first_day": first_day, "most": most}
        rows = self._connection.execute(_QUERIES["read_errors"], parameters).fetchall()
        return (
            rows[0]["total"] if rows else 0,
            [OperationErrors(operation=r["operation"], errors=r["error_count"]) for r in rows],
        )


def _value(row: DictRow) -> CountedValue:
    return CountedValue(
        value=row["value"] or None,
        artifact_count=row["artifact_count"],
        size_bytes=int(row["size_bytes"]),
        deleted_count=row["deleted_count"],
        deleted_bytes=int(row["deleted_bytes"]),
    )
