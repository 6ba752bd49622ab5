"""What policies find due, in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.policies import Policy
from shared.models.policy_previews import Due, Place

_QUERIES = load_queries(__file__)
_FIRST = ("-infinity", UUID(int=0))


class PolicyCandidates:
    """What is due by a policy, and its verdict. Changes nothing."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def page(
        self, policy: Policy, stream: str, at: datetime, after: Place | None, limit: int
    ) -> list[Due]:
        """The next that are due of a stream at a time, with the policy's verdict on each."""
        after_at, after_id = (after.clock_at, after.artifact_id) if after else _FIRST
        parameters = {
            "policy": Jsonb(policy.as_json()),
            "stream": stream,
            "cutoff": at - policy.age,
            "at": at,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
        }
        rows = self._connection.execute(_QUERIES["page"], parameters).fetchall()
        return [Due.model_validate(row) for row in rows]
