"""Saying what a policy would have done, had it run."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.cursors import name_list, read_place, write_place
from shared.models.policy_simulations import (
    Acted,
    ActedMonth,
    PolicySimulation,
    SimulationRequest,
)
from shared.repositories.policy_history import asked_briefly
from shared.services.asked import require_page
from shared.services.policies import PolicyService

_FIRST_ID = UUID(int=0)


class PolicySimulations:
    """Replays a policy over the history that the rows themselves tell. Changes nothing."""

    def __init__(
        self, database: Database, policies: PolicyService, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._policies = policies
        self._clock = clock

    def simulate(self, asked: SimulationRequest) -> PolicySimulation:
        """What a policy would have done to the next artifacts, in which month.

        Raises PolicyNotFound and PolicyUnreadable for a name, and InvalidInput for a time that has
        not come, a limit outside 1 to MAXIMUM_PAGE, and a cursor of another simulation;
        Retryable where so many take too long.
        """
        require_page(asked.limit)
        policy = asked.policy or self._policies.in_force(str(asked.name))
        now = self._clock()
        if asked.since > now:
            raise InvalidInput("That time has not come yet.", "/since")
        name = name_list("simulation", policy.as_json(), asked.since)
        until, after = (now, _FIRST_ID) if not asked.cursor else read_place(name, asked.cursor)
        with asked_briefly(self._database) as history:
            seen = history.simulate(policy, asked.since, until, after, asked.limit)
        is_last = len(seen) < asked.limit
        return PolicySimulation(
            months=_months(seen),
            looked_at=len(seen),
            next=None if is_last else write_place(name, until, seen[-1].artifact_id),
        )


def _months(seen: Iterable[Acted]) -> list[ActedMonth]:
    artifacts, freed = Counter[str](), Counter[str]()
    for each in seen:
        if each.acted_at is not None:
            month = each.acted_at.strftime("%Y-%m")
            artifacts[month] += 1
            freed[month] += each.bytes or 0
    return [
        ActedMonth(month=month, artifacts=artifacts[month], bytes=freed[month])
        for month in sorted(artifacts)
    ]
