"""Who enforces policies, and who tells what that will do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from shared.database.pool import Database
from shared.services.backlog import Backlog
from shared.services.ingestion import IngestionService
from shared.services.policies import PolicyService
from shared.services.policy_actions import PolicyActions
from shared.services.policy_forecasts import PolicyForecasts
from shared.services.policy_previews import PolicyPreviews
from shared.services.policy_queue import take_unsent
from shared.services.policy_runs import PolicyRunService
from shared.services.policy_simulations import PolicySimulations
from shared.services.retirement import RetirementService
from shared.services.set_aside import SetAsideService
from shared.storage.queues import StorageQueue


@dataclass(frozen=True)
class Enforcement:
    """Parts that go by the same policies, at the same store, by the same clock."""

    actions: PolicyActions
    previews: PolicyPreviews
    runs: PolicyRunService
    simulations: PolicySimulations
    forecasts: PolicyForecasts

    @classmethod
    def of(
        cls,
        database: Database,
        policies: PolicyService,
        retirement: RetirementService,
        ingestion: IngestionService,
        set_aside: SetAsideService,
        queue: StorageQueue,
        clock: Callable[[], datetime],
    ) -> Self:
        """Built on what artifacts are changed with anyway; the queue is that of actions."""
        previews = PolicyPreviews(database, clock)
        actions = PolicyActions(database, retirement, ingestion, set_aside, clock)
        backlog = Backlog(database, queue, take_unsent, clock)
        return cls(
            actions=actions,
            previews=previews,
            runs=PolicyRunService(database, policies, previews, actions, backlog, clock),
            simulations=PolicySimulations(database, policies, clock),
            forecasts=PolicyForecasts(database, policies, clock),
        )
