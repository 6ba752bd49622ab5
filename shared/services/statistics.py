"""How much is registered, without counting it anew."""

from typing import Protocol

from shared.database.pool import Database
from shared.errors import Retryable
from shared.models.statistics import Statistics
from shared.repositories.statistics import StatisticsRepository
from shared.services.asked import as_kept

BATCH = 20_000
"""Changes that are folded in one transaction: seconds, even where no two of them are alike."""

_BATCHES_PER_CALL = 500
_BATCHES_PER_READ = 10
_MANY = 10_000
"""So many changes are worth folding before they are read."""


class Folding(Protocol):
    """Figures that consist of totals, and of changes that wait to be folded into them."""

    def fold_changes(self, *, most: int, at_least: int) -> int:
        """Fold up to `most` changes where there are `at_least` so many; tells how many it were."""
        ...


class StatisticsReads:
    """Figures that are kept up to date by folding changes into totals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_stats(self, client_type: str | None = None) -> Statistics:
        """Figures of one client, or of all; zeros for a client that is not known.

        Exact at one instant: changes that nobody folded yet are counted as well. Raises Retryable
        where more of them wait than one request can fold; asking again gets further.
        """
        wanted = None if client_type is None else as_kept("client_type", client_type)
        with self._database.connection() as connection:
            figures = StatisticsRepository(connection)
            require_folded(figures)
            return figures.read(wanted)

    def fold_changes(self) -> int:
        """Fold what changed into the totals; answers with the number of changes folded.

        Ends when none are left, or after ten million. Each 20,000 are a transaction of their own:
        killed at any point, nothing is counted twice or lost. Any number of calls may run at once.
        """
        with self._database.connection() as connection:
            return fold_waiting(StatisticsRepository(connection))


def fold_waiting(figures: Folding) -> int:
    """Fold whatever waits, up to ten million changes; answers with the number of changes folded."""
    total = 0
    for _ in range(_BATCHES_PER_CALL):
        folded = figures.fold_changes(most=BATCH, at_least=1)
        total += folded
        if folded < BATCH:
            break
    return total


def require_folded(figures: Folding) -> None:
    """Fold what is too much to be read; raise Retryable where one request cannot fold that much."""
    if not fold_batches(figures, at_least=_MANY):
        raise Retryable("Many changes wait to be counted; ask again in a moment.")


def fold_batches(figures: Folding, *, at_least: int) -> bool:
    """Fold as much as one request may, where so many changes wait; whether that was enough."""
    return any(
        figures.fold_changes(most=BATCH, at_least=at_least) < BATCH
        for _ in range(_BATCHES_PER_READ)
    )
