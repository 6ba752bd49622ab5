"""Saying what a policy would do, by the query that enforcing asks."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database.pool import Database
from shared.models.chains import MAXIMUM_PAGE
from shared.models.cursors import foreign_cursor, name_list, read_cursor, write_cursor
from shared.models.policies import Policy, PolicyKind
from shared.models.policy_previews import Candidate, Due, Place, PolicyPreview, RefusedCandidate
from shared.repositories.policy_candidates import PolicyCandidates
from shared.services.asked import require_page

RANKED = 100
"""Revisions that are counted from the newest on: see registry.policy_page."""

EARLY_DELETION_DAYS = {"Cool": 30, "Cold": 90, "Archive": 180}
"""Source: Azure Storage, "Access tiers for blob data", early deletion fees."""


@dataclass(frozen=True)
class _Position:
    """Where a preview goes on, and what it has counted so far."""

    stream: int = 0
    place: Place | None = None
    total: int = 0
    bytes_freed: int = 0


class PolicyPreviews:
    """Changes nothing, and claims nothing."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def preview(
        self, policy: Policy, *, limit: int = 100, cursor: str | None = None
    ) -> PolicyPreview:
        """A page of what a policy would do now: so many that are due are looked at.

        Raises InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another
        policy, or of another state of this one.
        """
        require_page(limit)
        name = name_list("preview", policy.model_dump(mode="json"))
        begun = _Position() if cursor is None else _read(read_cursor(name, cursor))
        if begun.stream >= len(policy.streams):
            raise foreign_cursor()
        stream = policy.streams[begun.stream]
        now = self._clock()
        with self._database.connection() as connection:
            found = PolicyCandidates(connection).page(policy, stream, now, begun.place, limit)
        acted = [each for each in found if each.verdict == ""]
        ended = _Position(
            begun.stream,
            _place_behind(found),
            begun.total + len(acted),
            begun.bytes_freed + sum(each.bytes or 0 for each in acted),
        )
        return PolicyPreview(
            candidates=[_candidate(policy, each, now) for each in acted],
            total=ended.total,
            bytes_freed=ended.bytes_freed,
            refused=[
                RefusedCandidate(artifact_id=each.artifact_id, reason=each.verdict)
                for each in found
                if each.verdict
            ],
            next=_following(name, policy, ended, is_last=len(found) < limit),
        )

    def pages(self, policy: Policy) -> Iterator[list[Due]]:
        """All that is due now, with the policy's verdict on each, page by page."""
        now = self._clock()
        for stream in policy.streams:
            place, is_last = None, False
            while not is_last:
                with self._database.connection() as connection:
                    due = PolicyCandidates(connection)
                    found = due.page(policy, stream, now, place, MAXIMUM_PAGE)
                place, is_last = _place_behind(found), len(found) < MAXIMUM_PAGE
                yield found


def _place_behind(found: list[Due]) -> Place | None:
    return Place(found[-1].clock_at, found[-1].artifact_id) if found else None


def _candidate(policy: Policy, due: Due, now: datetime) -> Candidate:
    rank = due.revision_rank or 0
    ranked = f"revision {rank} from the newest" if rank <= RANKED else f"{RANKED} are newer"
    return Candidate(
        artifact_id=due.artifact_id,
        reason=f"{policy.name}: {policy.clock} {due.clock_at.isoformat()}, {ranked}",
        due_at=due.clock_at + policy.age,
        bytes_freed=due.bytes or 0,
        warnings=_warnings(policy, due, now),
    )


def _warnings(policy: Policy, due: Due, now: datetime) -> list[str]:
    """What leaves a tier early is charged for the rest of the tier's least time."""
    if policy.kind not in {PolicyKind.ARCHIVE, PolicyKind.PURGE} or due.storage_tier is None:
        return []
    least = EARLY_DELETION_DAYS.get(due.storage_tier, 0)
    there = (now - due.tier_since).days
    if there >= least:
        return []
    return [f"early deletion charge: {there} of {least} days in the tier {due.storage_tier}"]


def _following(name: str, policy: Policy, ended: _Position, *, is_last: bool) -> str | None:
    if not is_last:
        return write_cursor(name, _written(ended))
    if ended.stream + 1 == len(policy.streams):
        return None
    following = _Position(ended.stream + 1, None, ended.total, ended.bytes_freed)
    return write_cursor(name, _written(following))


def _written(position: _Position) -> str:
    place = position.place
    told = (place.clock_at.isoformat(), str(place.artifact_id)) if place else None
    return json.dumps([position.stream, told, position.total, position.bytes_freed])


def _read(text: str) -> _Position:
    try:
        stream, told, total, bytes_freed = json.loads(text)
        place = Place(datetime.fromisoformat(told[0]), UUID(told[1])) if told else None
        return _Position(int(stream), place, int(total), int(bytes_freed))
    except (ValueError, TypeError, IndexError):
        raise foreign_cursor() from None
