"""When policies act on artifacts, or would have, in PostgreSQL."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.errors import Retryable
from shared.models.policies import Policy
from shared.models.policy_forecasts import ForecastEntry
from shared.models.policy_previews import Place
from shared.models.policy_simulations import Acted

_QUERIES = load_queries(__file__)
LONGEST_SECONDS = 5.0
"""That a question may take: whoever may read asks it."""

_FIRST = ("-infinity", UUID(int=0))


class PolicyHistory:
    """Judges artifacts as they were, or as they will be if nothing is done. Changes nothing."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def simulate(
        self, policy: Policy, since: datetime, until: datetime, after: UUID, limit: int
    ) -> list[Acted]:
        """The next artifacts, and when a policy would have acted on each in that time."""
        parameters = _asked(policy, since, until) | {"after_id": after, "limit": limit}
        rows = self._connection.execute(_QUERIES["simulate"], parameters).fetchall()
        return [Acted.model_validate(row) for row in rows]

    def forecast(
        self,
        policy: Policy,
        stream: str,
        since: datetime,
        until: datetime,
        after: Place | None,
        limit: int,
    ) -> list[ForecastEntry]:
        """The next that a stream has due until a time to come, and when the policy acts on each."""
        after_at, after_id = (after.clock_at, after.artifact_id) if after else _FIRST
        place = {"stream": stream, "after_at": after_at, "after_id": after_id, "limit": limit}
        parameters = _asked(policy, since, until) | place
        rows = self._connection.execute(_QUERIES["forecast"], parameters).fetchall()
        return [ForecastEntry.model_validate(row) for row in rows]


@contextmanager
def asked_briefly(database: Database) -> Generator[PolicyHistory]:
    """For the questions of one request. Raises Retryable where one of them takes too long."""
    with database.connection() as connection, connection.transaction():
        timeout = {"timeout": f"{LONGEST_SECONDS * 1000:.0f}ms"}
        connection.execute(_QUERIES["limit_time"], timeout)
        try:
            yield PolicyHistory(connection)
        except QueryCanceled:
            raise Retryable("That takes too long: ask again with a smaller limit.") from None


def _asked(policy: Policy, since: datetime, until: datetime) -> dict[str, Any]:
    return {
        "policy": Jsonb(policy.as_json()),
        "age_seconds": policy.age.total_seconds(),
        "since": since,
        "until": until,
    }
