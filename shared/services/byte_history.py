"""How many bytes lay where, day by day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.byte_history import LONGEST_DAYS, ByteHistory
from shared.repositories.byte_history import ByteHistoryRepository


class ByteHistoryService:
    """What the fold of changes keeps of each day, hence never older than a minute."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def read(self, days: int = 90) -> ByteHistory:
        """The last days, today among them; earlier ones than history has are left out.

        Raises InvalidInput unless it is 1 to LONGEST_DAYS of them.
        """
        require_days(days)
        today = self._clock().astimezone(UTC).date()
        with self._database.connection() as connection:
            history = ByteHistoryRepository(connection)
            told = history.read(today - timedelta(days=days - 1), today)
            return ByteHistory(today=today, days=told)


def require_days(days: int) -> None:
    """Raise InvalidInput unless so many days may be asked for."""
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Ask for 1 to {LONGEST_DAYS} days.", "/days")
