"""Policies in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from shared.database.queries import load_queries
from shared.models.documents import UnreadableItem
from shared.models.policies import Policy
from shared.models.policy_files import KEPT_POLICIES
from shared.repositories.documents import DocumentRepository

_MICROSECOND = timedelta(microseconds=1)


class PolicyRepository(DocumentRepository[Policy]):
    """Every statement about policies as they are kept. Never commits."""

    queries = load_queries(__file__)
    kept = KEPT_POLICIES

    def hold(self, given: Sequence[Policy]) -> None:
        """Likewise; before one that is locked, wait for whoever deletes or purges just now.

        What begins later sees the policy. The lock is the first that is taken: whoever acts has
        shared it before taking any other, and would wait for ours while we wait for theirs.
        """
        if any(policy.locked for policy in given):
            self._connection.execute(self.queries["limit_waiting_for_actors"])
            self._connection.execute(self.queries["wait_for_actors"])
        super().hold(given)

    def row_of(self, item: Policy | UnreadableItem) -> Mapping[str, Any]:
        assert isinstance(item, Policy), "what cannot be read is never changed into"  # noqa: S101
        microseconds = item.age // _MICROSECOND
        return {"name": item.name, "policy": item.as_json(), "age_microseconds": microseconds}
