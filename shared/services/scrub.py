"""The scrub: the bytes of all artifacts are compared with their hashes, in turn and unasked."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from secrets import SystemRandom
from time import monotonic
from uuid import UUID

from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.ids import ArtifactId
from shared.models.integrity import RESULTS, ArtifactSample, Coverage, Looks
from shared.repositories.integrity import Begun, IntegrityRepository

LONGEST_DAYS = 3650
LARGEST_SAMPLE = 1000

_PORTION = 200
_MOST_WAITING = 2000
"""Verifications that are due, of whoever: what somebody asks for does not wait behind more."""
_COUNTED = 10_000
_TOLD = 100
_DRAWS = 5
"""An id that is drawn may lead to an artifact without bytes, or to one that another led to."""


class ScrubService:
    """Has a bounded share of bytes read each day, and tells how recently all were.

    What is to be read stands in the table of verifications that are due, as what somebody asks for
    does; from there the queue takes it. A kill at any point loses nothing.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        bytes_per_day: int,
        days: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._bytes_per_day = bytes_per_day
        self._days = days

    def begin(self, seconds: float) -> int:
        """Say of which artifacts the bytes are read next; answers with how many these are.

        Those that were looked at longest ago come first, and none before nine tenths of the days
        are over within which it is to come round. More than is allowed by now is read of the last
        of them only, and less after it.
        """
        until = monotonic() + seconds
        begun = 0
        while self._bytes_per_day and monotonic() < until:
            portion = self._begin_some()
            begun += portion.artifacts
            if portion.seen < _PORTION:
                break
        return begun

    def coverage(self, days: int | None = None) -> Coverage:
        """How recently the bytes were looked at: within so many days, or those of the settings.

        Raises InvalidInput unless it is 1 to LONGEST_DAYS of them.
        """
        days = self._days if days is None else days
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidInput(f"Ask for 1 to {LONGEST_DAYS} days.", "/days")
        now = self._clock().astimezone(UTC)
        with self._database.connection() as connection:
            integrity = IntegrityRepository(connection)
            oldest = integrity.oldest_look()
            corrupt = integrity.corrupt(_COUNTED)
            results = integrity.results(now.date() - timedelta(days=days - 1))
            return Coverage(
                days=days,
                is_covered=oldest is None or oldest >= now - timedelta(days=days),
                oldest_look_at=oldest,
                results={each: results.get(each, Looks()) for each in RESULTS},
                corrupt_count=len(corrupt),
                corrupt=corrupt[:_TOLD],
                waiting=integrity.waiting(_COUNTED),
                scrub_bytes_per_day=self._bytes_per_day,
            )

    def sample(self, size: int) -> ArtifactSample:
        """Artifacts that chance chose; fewer where there are not so many, or hardly more.

        Raises InvalidInput unless it is 1 to LARGEST_SAMPLE of them.
        """
        if not 1 <= size <= LARGEST_SAMPLE:
            raise InvalidInput(f"Ask for 1 to {LARGEST_SAMPLE} artifacts.", "/size")
        with self._database.connection() as connection:
            integrity = IntegrityRepository(connection)
            found: set[ArtifactId] = set()
            for drawn in _draw(integrity.id_range(), size):
                found |= integrity.nearest(drawn)
                if len(found) >= size:
                    break
        chosen = SystemRandom().sample(sorted(found), min(size, len(found)))
        return ArtifactSample(artifact_ids=chosen)

    def _begin_some(self) -> Begun:
        now = self._clock()
        request = {
            "bytes_per_day": self._bytes_per_day,
            "looked_before": (now - timedelta(days=self._days) * 0.9).isoformat(),
            "most": _PORTION,
            "most_waiting": _MOST_WAITING,
            "at": now.isoformat(),
        }
        with self._database.connection() as connection:
            return IntegrityRepository(connection).begin_scrub(request)


def _draw(bounds: tuple[UUID, UUID] | None, size: int) -> Iterator[list[UUID]]:
    """Ids between these, several times so many: they begin with the time of registration."""
    if bounds is None:
        return
    chance = SystemRandom()
    lowest, highest = bounds
    for _ in range(_DRAWS):
        yield [UUID(int=chance.randint(lowest.int, highest.int)) for _ in range(size)]
