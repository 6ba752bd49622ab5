"""Figures by value and by day in PostgreSQL; folded with those of `StatisticsRepository`."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.figures import CountedDay, CountedValue, OperationErrors

_QUERIES = load_queries(__file__)


class FiguresRepository:
    """Every statement about these figures; none of them changes anything."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def read(
        self, client_type: str | None, first_day: date, most: int
    ) -> tuple[Mapping[str, list[CountedValue]], list[CountedDay]]:
        """Of one client or of all, by figure: its `most` largest values; and all days since one."""
        parameters = {
            "client_type": client_type,
            "first_day": first_day.isoformat(),
            "most": most,
        }
        found, days = defaultdict[str, list[CountedValue]](list), list[CountedDay]()
        for row in self._connection.execute(_QUERIES["read_figures"], parameters):
            figure, value = row.pop("figure"), row.pop("value")
            if figure == "day":
                days.append(CountedDay(day=date.fromisoformat(value), **row))
            else:
                found[figure].append(CountedValue(value=value or None, **row))
        return found, sorted(days, key=lambda each: each.day)

    def read_errors(self, first_day: date, most: int) -> tuple[int, list[OperationErrors]]:
        """How many attempts failed since a day, and of which operations the most did."""
        parameters = {"first_day": first_day, "most": most}
        rows = self._connection.execute(_QUERIES["read_errors"], parameters).fetchall()
        return (
            rows[0]["total"] if rows else 0,
            [OperationErrors(operation=r["operation"], errors=r["error_count"]) for r in rows],
        )
