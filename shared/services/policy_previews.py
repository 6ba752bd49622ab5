"""Saying what a policy would do, by the query that enforcing asks."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.database.pool import Database
from shared.models.artifacts import BigInteger
from shared.models.cursors import foreign_cursor, name_list, read_cursor, write_cursor
from shared.models.policies import Policy, PolicyKind
from shared.models.policy_previews import Candidate, Due, Place, PolicyPreview, RefusedCandidate
from shared.repositories.policy_candidates import PolicyCandidates
from shared.services.asked import require_page

RANKED = 100
"""Revisions that are counted from the newest on: see registry.policy_page."""

EARLY_DELETION_DAYS = {"Cool": 30, "Cold": 90, "Archive": 180}
"""Source: Azure Storage, "Access tiers for blob data", early deletion fees."""


class _Position(BaseModel):
    """Where a preview goes on, and what it has counted so far."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    stream: Annotated[int, Field(ge=0)] = 0
    place: Place | None = None
    total: BigInteger = 0
    bytes_freed: Annotated[int, Field(ge=0)] = 0

    def behind(self, found: list[Due], *, is_last: bool) -> "_Position":
        """Where to go on once these were told: with the next stream behind the last of one."""
        acted = [each.bytes or 0 for each in found if each.verdict == ""]
        total, bytes_freed = self.total + len(acted), self.bytes_freed + sum(acted)
        if is_last:
            return _Position(stream=self.stream + 1, total=total, bytes_freed=bytes_freed)
        return _Position(
            stream=self.stream,
            place=Place(found[-1].clock_at, found[-1].artifact_id),
            total=total,
            bytes_freed=bytes_freed,
        )


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
        position = _Position() if cursor is None else _read(read_cursor(name, cursor))
        if position.stream >= len(policy.streams):
            raise foreign_cursor()
        now, found = self._clock(), list[Due]()
        with self._database.connection() as connection:
            due = PolicyCandidates(connection)
            while position.stream < len(policy.streams) and len(found) < limit:
                wanted = limit - len(found)
                stream = policy.streams[position.stream]
                page = due.page(policy, stream, now, position.place, wanted)
                position = position.behind(page, is_last=len(page) < wanted)
                found += page
        is_whole = position.stream == len(policy.streams)
        return PolicyPreview(
            candidates=[_candidate(policy, each, now) for each in found if each.verdict == ""],
            total=position.total,
            bytes_freed=position.bytes_freed,
            refused=[
                RefusedCandidate(artifact_id=each.artifact_id, reason=each.verdict)
                for each in found
                if each.verdict
            ],
            next=None if is_whole else write_cursor(name, position.model_dump_json()),
        )


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


def _read(text: str) -> _Position:
    try:
        return _Position.model_validate_json(text)
    except ValidationError:
        raise foreign_cursor() from None
