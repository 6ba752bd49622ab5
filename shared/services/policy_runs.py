"""Running policies: by their schedule, and when somebody asks."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from shared.database.pool import Database
from shared.errors import PolicyRunNotFound, Retryable
from shared.models.chains import MAXIMUM_PAGE
from shared.models.cursors import name_list, read_id, write_cursor
from shared.models.ids import new_id
from shared.models.policies import Policy
from shared.models.policy_runs import Claimed, PolicyRun, PolicyRunPage, RunStatus, Selection
from shared.models.registrations import Origin
from shared.repositories.policy_actions import PolicyActionRepository
from shared.repositories.policy_runs import PolicyRunRepository
from shared.services.asked import require_page
from shared.services.backlog import Backlog
from shared.services.policies import PolicyService
from shared.services.policy_actions import PolicyActions
from shared.services.policy_previews import PolicyPreviews

PAGE = 1000
"""Due artifacts that are judged in one transaction."""

_LOGGER = logging.getLogger(__name__)
_AT_ONCE = timedelta(minutes=2)
"""How long who began a run has for what it claims before messages are sent about it."""
_AT_ONCE_PAGE = 100
_SECONDS = 5.0
"""What a request spends on a run; the queue does the rest."""
_TICK_SECONDS = 40.0
_RUNS = 1000
_TOLD = {"policy", "acted", "bytes", "refused", "status"}
"""What the audit trail keeps of a dry run."""
_SCHEDULED = Origin("timer:policies")


class PolicyRunService:
    """A run selects what is due, claims it, and has it acted on; it may take many ticks.

    One run of a policy is under way at a time. Where it is, it says in the database: killed at any
    point, the next tick goes on.
    """

    def __init__(
        self,
        database: Database,
        policies: PolicyService,
        previews: PolicyPreviews,
        actions: PolicyActions,
        backlog: Backlog,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._policies = policies
        self._previews = previews
        self._actions = actions
        self._backlog = backlog
        self._clock = clock

    def run(self, name: str, origin: Origin, *, dry_run: bool = False) -> PolicyRun:
        """Run a policy now, also one that is not enabled, and act for some seconds.

        What is left then is done by messages: the run is still running. It is skipped where another
        run of the policy is under way. A dry run changes nothing, and is in the audit trail. Raises
        PolicyNotFound, PolicyUnreadable.
        """
        policy = self._policies.in_force(name)
        if dry_run:
            return self._look(policy, origin)
        run = self._begin(policy, origin, is_scheduled=False)
        if run.status is not RunStatus.RUNNING:
            return run
        self._act(Selection(run.run_id, policy.as_json(), is_selecting=True))
        return self.get(run.run_id)

    def get(self, run_id: UUID) -> PolicyRun:
        """One run; raises PolicyRunNotFound."""
        with self._database.connection() as connection:
            run = PolicyRunRepository(connection).get(run_id)
        if run is None:
            raise PolicyRunNotFound
        return run

    def list_runs(
        self, policy: str | None = None, *, limit: int = 100, cursor: str | None = None
    ) -> PolicyRunPage:
        """A page of runs, newest first; also of a policy that is there no more.

        Raises InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another list.
        """
        require_page(limit)
        name = name_list("policy-runs", policy)
        before = read_id(name, cursor)
        with self._database.connection() as connection:
            found = PolicyRunRepository(connection).page(policy, before, limit + 1)
        if len(found) <= limit:
            return PolicyRunPage(runs=found, next=None)
        following = write_cursor(name, found[limit - 1].run_id)
        return PolicyRunPage(runs=found[:limit], next=following)

    def start_due(self) -> int:
        """Begin a run of every enabled policy that has anything due: the number of runs begun."""
        begun = 0
        for policy in self._policies.enabled():
            if not self._is_due(policy):
                continue
            run = self._begin(policy, _SCHEDULED, is_scheduled=True)
            begun += run.status is RunStatus.RUNNING
            if run.status is RunStatus.SKIPPED:
                _LOGGER.warning(
                    "policy run skipped: policy=%s under_way=%s", policy.name, run.skipped_for
                )
        return begun

    def advance(self) -> int:
        """Go on with the runs that are under way: the number of messages sent.

        Raises StorageUnavailable.
        """
        with self._database.connection() as connection:
            runs = PolicyRunRepository(connection).under_way(_RUNS)
        selecting = [run for run in runs if run.is_selecting]
        until = monotonic() + _TICK_SECONDS
        sent = self._backlog.fill(lambda: self._claim_next(selecting, until))
        for run in runs:
            self._actions.count(run.run_id)
        return sent

    def _begin(self, policy: Policy, origin: Origin, *, is_scheduled: bool) -> PolicyRun:
        with self._database.connection() as connection, connection.transaction():
            return PolicyRunRepository(connection).begin(
                new_id(), policy, origin, self._clock(), is_scheduled=is_scheduled
            )

    def _is_due(self, policy: Policy) -> bool:
        with self._database.connection() as connection:
            runs = PolicyRunRepository(connection)
            return runs.is_due(policy.streams, self._clock() - policy.age)

    def _claim_next(self, selecting: list[Selection], until: float) -> bool:
        """Claim of the runs that still select, a page each in turn: one that is refused all that it
        finds keeps no other waiting. False where none is left, or time is up.
        """
        while selecting and monotonic() < until:
            run = selecting.pop(0)
            claimed = self._claim(run, self._clock())
            if claimed.is_selecting:
                selecting.append(run)
            if claimed.artifact_ids:
                return True
        return False

    def _claim(self, run: Selection, first_send: datetime, most: int = PAGE) -> Claimed:
        with self._database.connection() as connection, connection.transaction():
            runs = PolicyRunRepository(connection)
            return runs.claim_due(run, most, self._clock(), first_send)

    def _act(self, run: Selection) -> None:
        """As much as a request may take; whatever is claimed and not done is left to messages."""
        until = monotonic() + _SECONDS
        is_selecting: bool | None = True
        try:
            while is_selecting and monotonic() < until:
                claimed = self._claim(run, self._clock() + _AT_ONCE, _AT_ONCE_PAGE)
                for artifact_id in claimed.artifact_ids:
                    if monotonic() < until:
                        self._actions.act(artifact_id)
                is_selecting = claimed.is_selecting
        except Retryable:
            _LOGGER.warning("policy run left to messages: run=%s", run.run_id)
        with self._database.connection() as connection:
            PolicyActionRepository(connection).send_now(run.run_id, self._clock())
        self._actions.count(run.run_id)

    def _look(self, policy: Policy, origin: Origin) -> PolicyRun:
        """What a run would do now, by the query that it would ask."""
        begun, until = self._clock(), monotonic() + _SECONDS
        page = self._previews.preview(policy, limit=MAXIMUM_PAGE)
        refused = Counter(each.reason for each in page.refused)
        while page.next is not None and monotonic() < until:
            page = self._previews.preview(policy, limit=MAXIMUM_PAGE, cursor=page.next)
            refused.update(each.reason for each in page.refused)
        run = PolicyRun(
            run_id=new_id(),
            policy=policy.name,
            status=RunStatus.FINISHED if page.next is None else RunStatus.INCOMPLETE,
            dry_run=True,
            selected=page.total,
            acted=page.total,
            bytes=page.bytes_freed,
            refused=dict(refused),
            errors=0,
            last_errors=[],
            started_by=origin.actor,
            started_at=begun,
            ended_at=self._clock(),
            skipped_for=None,
        )
        self._record(run, origin)
        return run

    def _record(self, run: PolicyRun, origin: Origin) -> None:
        told = run.model_dump(mode="json", include=_TOLD)
        with self._database.connection() as connection:
            runs = PolicyRunRepository(connection)
            runs.record_dry_run(origin, run.started_at, told | {"policy_run": str(run.run_id)})
