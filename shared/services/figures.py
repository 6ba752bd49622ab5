"""How much is registered of what, without counting it anew."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.figures import (
    LONGEST_DAYS,
    Breakdown,
    Counted,
    CountedValue,
    RegistryFigures,
)
from shared.repositories.figures import FiguresRepository
from shared.repositories.statistics import StatisticsRepository
from shared.services.asked import as_kept
from shared.services.statistics import require_folded

LARGEST = 100
"""Values of a figure that are told of one by one."""

_BROKEN_DOWN_BY = ("status", "stage", "type", "client", "backend", "tier", "container")


class FiguresService:
    """What the fold of changes keeps of each value that artifacts are counted by."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def get_statistics(self, client_type: str | None = None, days: int = 30) -> RegistryFigures:
        """Figures of one client, or of all; zeros for a client that is not known.

        Exact at one instant: changes that nobody folded yet are counted as well. Raises Retryable
        where more of them wait than one request can fold, asking again gets further; InvalidInput
        unless it is 1 to LONGEST_DAYS days, today among them.
        """
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidInput(f"Ask for 1 to {LONGEST_DAYS} days.", "/days")
        wanted = None if client_type is None else as_kept("client_type", client_type)
        today = self._clock().astimezone(UTC).date()
        first_day = today - timedelta(days=days - 1)
        with self._database.connection() as connection:
            require_folded(StatisticsRepository(connection))
            figures = FiguresRepository(connection)
            found, registered = figures.read(wanted, first_day, LARGEST)
            failed, by_operation = figures.read_errors(first_day, LARGEST)
        everything = _sum(found.get("status", []))  # there are so few that all of them are listed
        breakdowns = {
            f"by_{figure}": _breakdown(found.get(figure, []), everything)
            for figure in _BROKEN_DOWN_BY
        }
        return RegistryFigures.model_validate(
            everything
            | breakdowns
            | {
                "client_type": client_type,
                "today": today,
                "days": registered,
                "total_errors": failed,
                "errors_by_operation": by_operation,
            }
        )


def _sum(values: Sequence[Counted]) -> dict[str, int]:
    return {name: sum(getattr(each, name) for each in values) for name in Counted.model_fields}


def _breakdown(values: list[CountedValue], everything: Mapping[str, int]) -> Breakdown:
    listed = _sum(values)
    others = {name: number - listed[name] for name, number in everything.items()}
    return Breakdown(values=values, others=Counted.model_validate(others))
