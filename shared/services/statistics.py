"""How much is registered, without counting it anew."""

from shared.database.pool import Database
from shared.models.statistics import Statistics


class StatisticsReads:
    """Figures that are kept up to date by folding changes into totals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_stats(self, client_type: str | None = None) -> Statistics:
        """Figures of one client, or of all; zeros for a client that is not known."""
        raise NotImplementedError

    def fold_changes(self) -> int:
        """Fold what changed into the totals; answers with the number of changes folded."""
        raise NotImplementedError
