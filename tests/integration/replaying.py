"""A registry in which a policy runs, beside the same one in which it does not."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.errors import IntegrityConstraintViolation

from shared.database.pool import Database
from shared.errors import ArtifactHeld
from shared.models.axes import Disposition
from shared.models.holds import HoldRequest
from shared.models.policies import Policy, PolicyKind
from shared.models.policy_previews import Candidate
from shared.models.registrations import UNATTRIBUTED
from shared.repositories.policy_history import PolicyHistory
from shared.repositories.transitions import TransitionRepository
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.policy_previews import PolicyPreviews
from tests.integration.clock import TickingClock
from tests.integration.registering import create

DAY = timedelta(days=1)
RUN, QUIET = "run", "quiet"
ETAGS = ["a", "a", "b", None]
Step = tuple[str, int, int, int]


class Twins:
    """Each step happens to both; what the policy took away already is left alone."""

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactService,
        clock: TickingClock,
        policy: dict[str, Any],
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._clock = clock
        self._holds = HoldService(database, clock)
        self._previews = PolicyPreviews(database, clock)
        self._policy = policy
        self._made: dict[str, list[UUID]] = {RUN: [], QUIET: []}
        self._placed: dict[str, list[UUID]] = {RUN: [], QUIET: []}
        self._begun = clock.now
        self.acted: dict[int, date] = {}
        self.bytes = 0

    def policy_of(self, twin: str) -> Policy:
        selector = {**self._policy.get("selector", {}), "client_type": twin}
        return Policy.model_validate({**self._policy, "selector": selector})

    def step(self, step: Step) -> None:
        """Do something, then let some days pass, in which the policy runs whenever it has to."""
        for twin in (RUN, QUIET):
            self._take(twin, step)
        ended = self._clock.now + (step[3] + 1) * 5 * DAY
        self._run(ended)
        self._clock.now = ended

    def told(self, twin: str) -> tuple[dict[int, date], int]:
        """What a simulation says: which were acted on, on which day, and the bytes."""
        with self._database.connection() as connection:
            seen = PolicyHistory(connection).simulate(
                self.policy_of(twin), self._begun, self._clock.now, UUID(int=0), 1000
            )
        at = {each.artifact_id: each for each in seen if each.acted_at}
        days = {
            number: at[artifact_id].acted_at.date()  # pyright: ignore[reportOptionalMemberAccess]
            for number, artifact_id in enumerate(self._made[twin])
            if artifact_id in at
        }
        return days, sum(each.bytes or 0 for each in at.values())

    def _run(self, until: datetime) -> None:
        begun = self._clock.now
        while True:
            self._clock.now = until
            due = self._candidates()
            if not due:
                return
            first = min(due, key=lambda each: (each.due_at, each.artifact_id))
            begun = max(begun, first.due_at)
            self._clock.now = begun - timedelta(seconds=1)  # its next look is the one that counts
            self._act(self.policy_of(RUN), first.artifact_id)
            self.acted[self._made[RUN].index(first.artifact_id)] = begun.date()
            self.bytes += first.bytes_freed

    def _candidates(self) -> list[Candidate]:
        found: list[Candidate] = []
        cursor = None
        while True:
            page = self._previews.preview(self.policy_of(RUN), limit=100, cursor=cursor)
            found += page.candidates
            cursor = page.next
            if cursor is None:
                return found

    def _act(self, policy: Policy, artifact_id: UUID) -> None:
        match policy.kind:
            case PolicyKind.ARCHIVE:
                self._move(artifact_id, Disposition.ARCHIVED, policy.target_tier)
            case PolicyKind.PURGE:
                self._move(artifact_id, Disposition.PURGED, None)
            case _:
                self._artifacts.mark_deleted(artifact_id)

    def _move(self, artifact_id: UUID, to: Disposition, tier: str | None) -> None:
        request = {
            "artifact_id": str(artifact_id),
            "disposition": to,
            "origin": UNATTRIBUTED.as_json(),
            "at": self._clock().isoformat(),
        } | ({"storage_tier": tier} if tier else {})
        with self._database.connection() as connection:
            TransitionRepository(connection).move_disposition(request)

    def _take(self, twin: str, step: Step) -> None:
        action, which, what, _ = step
        if action == "register":
            self._made[twin].append(self._register(twin, which, what))
        elif action == "release" and self._placed[twin]:
            self._holds.release(self._placed[twin][which % len(self._placed[twin])], UNATTRIBUTED)
        elif self._made[twin]:
            self._change(twin, action, self._made[twin][-1 - which % len(self._made[twin])])

    def _register(self, twin: str, which: int, what: int) -> UUID:
        made = create(
            self._artifacts,
            f"{twin} {len(self._made[twin])}",
            client_type=twin,
            client_refs={"n": which % 2},
            storage_account="account",
            container=twin,
            blob_path=f"{which % 2}/{what}",
            blob_etag=ETAGS[len(self._made[twin]) % len(ETAGS)],
            size_bytes=2 ** len(self._made[twin]),
            is_final=what == 3,
            expires_at=self._clock.now + (which + 1) * 20 * DAY if what > 1 else None,
        )
        return made.artifact_id

    def _change(self, twin: str, action: str, artifact_id: UUID) -> None:
        disposition = self._artifacts.get_by_id(artifact_id).disposition
        is_there = disposition in {Disposition.LIVE, Disposition.ARCHIVED}
        try:
            if action == "delete" and is_there:
                self._artifacts.mark_deleted(artifact_id)
            elif action == "archive" and disposition is Disposition.LIVE:
                self._move(artifact_id, Disposition.ARCHIVED, "Cool")
            elif action in {"hold", "hold asset"}:
                self._hold(twin, artifact_id, is_asset=action == "hold asset")
        except (ArtifactHeld, IntegrityConstraintViolation):
            pass

    def _hold(self, twin: str, artifact_id: UUID, *, is_asset: bool) -> None:
        asset_id = self._artifacts.get_by_id(artifact_id).asset_id
        target = {"asset_id": asset_id} if is_asset else {"artifact_id": artifact_id}
        wanted = HoldRequest.model_validate({**target, "reason": "why"})
        self._placed[twin].append(self._holds.place(wanted, UNATTRIBUTED).hold_id)
