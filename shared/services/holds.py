"""Placing, releasing and listing holds."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from shared.database.pool import Database
from shared.errors import ArtifactNotFound, AssetNotFound, HoldNotFound, InvalidInput
from shared.models.cursors import read_id, write_cursor
from shared.models.holds import Hold, HoldPage, HoldRequest
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.repositories.holds import HoldRepository
from shared.services.asked import require_page


class HoldService:
    """What is held is not archived, deleted or purged, whoever asks: policies, people, or rules.

    Once a hold is placed, nothing of the kind is under way any more. Every change is one
    transaction, and in the audit trail.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def place(self, wanted: HoldRequest, origin: Origin) -> Hold:
        """Hold what is wanted, from now on; waits for whoever is acting on any artifact just now.

        Raises ArtifactNotFound, AssetNotFound, and InvalidInput for an end that has passed, or for
        one selector too many.
        """
        now = self._clock()
        if wanted.until is not None and wanted.until <= now:
            raise InvalidInput("The hold would have ended already.", "/until")
        request = wanted.model_dump(mode="json", exclude_none=True) | {
            "hold_id": str(new_id()),
            "origin": origin.as_json(),
            "at": now.isoformat(),
        }
        with self._database.connection() as connection:
            outcome, hold = HoldRepository(connection).place(request)
        if hold is not None:
            return hold
        if outcome == "too many":
            raise InvalidInput(
                "There are as many holds by selector as there may be; release some.", "/selector"
            )
        raise ArtifactNotFound if wanted.artifact_id else AssetNotFound

    def release(self, hold_id: UUID, origin: Origin) -> Hold:
        """End a hold; idempotent. Its record stays. Raises HoldNotFound."""
        request = {
            "hold_id": str(hold_id),
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }
        with self._database.connection() as connection:
            return _required(HoldRepository(connection).release(request))

    def get(self, hold_id: UUID) -> Hold:
        """One hold; raises HoldNotFound."""
        with self._database.connection() as connection:
            return _required(HoldRepository(connection).get(hold_id))

    def list_holds(
        self, *, with_released: bool = False, limit: int = 100, cursor: str | None = None
    ) -> HoldPage:
        """A page of holds, newest first: those that nobody has released, or all.

        Raises InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another list.
        """
        require_page(limit)
        name = "holds-all" if with_released else "holds"
        before = read_id(name, cursor)
        with self._database.connection() as connection:
            found = HoldRepository(connection).page(before, limit + 1, with_released=with_released)
        if len(found) <= limit:
            return HoldPage(holds=found, next=None)
        following = write_cursor(name, found[limit - 1].hold_id)
        return HoldPage(holds=found[:limit], next=following)


def _required(hold: Hold | None) -> Hold:
    if hold is None:
        raise HoldNotFound
    return hold
