"""How builds are doing, without counting them anew."""

from decimal import Decimal

from pydantic import TypeAdapter

from shared.database.pool import Database
from shared.models.build_dashboard import BuildCount, BuildDashboard
from shared.models.builds import LAST_STATE, BuildFilter, PrintableName
from shared.models.cursors import LAST_ID
from shared.repositories.build_dashboard import BuildDashboardRepository, Figures
from shared.repositories.builds import BuildRepository
from shared.services.asked import as_valid
from shared.services.statistics import fold_waiting, require_folded

LARGEST = 100
"""Projects and platforms that are told of."""

_STATES = LAST_STATE + 2
"""Every code, and none."""
_PROJECT = TypeAdapter[str](PrintableName)
_RECENT = 10
_ATTEMPTS = 1000


class BuildDashboardService:
    """Figures that are kept up to date by folding changes into totals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, project: str | None = None) -> BuildDashboard:
        """How the builds of one project are doing, or all; zeros for a project without builds.

        Totals are exact at one instant: changes that nobody folded yet are counted as well. How
        long attempts took is told of all projects. Raises Retryable where more changes wait than
        one request can fold, asking again gets further; InvalidInput for what names no project.
        """
        wanted = None if project is None else as_valid(_PROJECT, "project", project)
        with self._database.connection() as connection:
            repository = BuildDashboardRepository(connection)
            require_folded(repository)
            figures = repository.read_totals(wanted, _STATES)
            durations = repository.durations(_ATTEMPTS)
            recent = BuildRepository(connection).page(
                BuildFilter(project=wanted), LAST_ID, _RECENT, _RECENT
            )
        total = sum(count.builds for count in _counts(figures, "status"))
        resumed = int(_amount(figures, "resumed"))
        return BuildDashboard(
            total=total,
            by_status=_counts(figures, "status"),
            by_project=_counts(figures, "project")[:LARGEST],
            by_platform=_counts(figures, "platform")[:LARGEST],
            by_state=_states(figures),
            recent=[build for _, build in recent if build is not None],
            durations=durations,
            resumed_builds=resumed,
            resumed_share=resumed / total if total else 0.0,
            saved_seconds=float(_amount(figures, "saved_seconds")),
        )

    def fold(self) -> int:
        """Fold what changed into the totals, as `StatisticsReads.fold_changes` does."""
        with self._database.connection() as connection:
            return fold_waiting(BuildDashboardRepository(connection))


def _counts(figures: Figures, figure: str) -> list[BuildCount]:
    return [BuildCount(value=value or None, builds=int(n)) for value, n in figures.get(figure, ())]


def _states(figures: Figures) -> list[BuildCount]:
    """By code, what has completed no state first."""
    codes = sorted((int(value) if value else -1, int(n)) for value, n in figures.get("state", ()))
    return [BuildCount(value=None if code < 0 else code, builds=n) for code, n in codes]


def _amount(figures: Figures, figure: str) -> Decimal:
    return sum((amount for _, amount in figures.get(figure, ())), Decimal())
