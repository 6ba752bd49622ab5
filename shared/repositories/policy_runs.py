"""Runs of policies in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.errors import PolicyUnreadable
from shared.models.policies import Policy, read_policy
from shared.models.policy_runs import Claimed, PolicyRun, RunStatus, Selection
from shared.models.registrations import Origin

_QUERIES = load_queries(__file__)


class PolicyRunRepository:
    """Every statement about runs. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def begin(
        self, run_id: UUID, policy: Policy, origin: Origin, at: datetime, *, is_scheduled: bool
    ) -> PolicyRun:
        """Run `registry.begin_policy_run`."""
        request = {
            "run_id": str(run_id),
            "policy": policy.as_json(),
            "age_seconds": str(policy.age_seconds),
            "is_scheduled": is_scheduled,
            "origin": origin.as_json(),
            "at": at.isoformat(),
        }
        return _run(self._row("begin", {"request": Jsonb(request)}))

    def claim_due(self, run: Selection, limit: int, at: datetime, first_send: datetime) -> Claimed:
        """Run `registry.claim_due`: messages about what is claimed are due at `first_send`.

        Of a policy that cannot be read, nothing is claimed; its run ends once the policy is gone.
        """
        try:
            streams = list(read_policy(run.policy).streams)
        except PolicyUnreadable:
            streams = []
        parameters = {
            "run_id": run.run_id,
            "streams": streams,
            "limit": limit,
            "at": at,
            "first_send": first_send,
        }
        row = self._row("claim_due", parameters)
        return Claimed(row["claimed"], row["is_selecting"])

    def count_outcomes(self, run_id: UUID, limit: int, at: datetime) -> PolicyRun | None:
        """Run `registry.count_outcomes`: the run after; None if unknown."""
        row = self._row("count_outcomes", {"run_id": run_id, "limit": limit, "at": at})
        return _run(row) if row["run_id"] else None

    def under_way(self, limit: int) -> list[Selection]:
        """Runs that have not ended, by priority."""
        rows = self._connection.execute(_QUERIES["under_way"], {"limit": limit}).fetchall()
        return [Selection(**row) for row in rows]

    def get(self, run_id: UUID) -> PolicyRun | None:
        """One run; None if unknown."""
        row = self._connection.execute(_QUERIES["get"], {"run_id": run_id}).fetchone()
        return _run(row) if row else None

    def page(self, policy: str | None, before_id: UUID, limit: int) -> list[PolicyRun]:
        """Runs with lower ids, newest first; of one policy, or of all."""
        name = "page" if policy is None else "page_of_policy"
        parameters = {"policy": policy, "before_id": before_id, "limit": limit}
        rows = self._connection.execute(_QUERIES[name], parameters).fetchall()
        return [_run(row) for row in rows]

    def is_due(self, streams: Sequence[str], cutoff: datetime) -> bool:
        """Whether the clocks say that anything is due; whether it is acted on is not asked."""
        return self._row("is_due", {"streams": list(streams), "cutoff": cutoff})["is_due"]

    def record_dry_run(self, origin: Origin, at: datetime, details: Mapping[str, Any]) -> None:
        """Write into the audit trail that somebody asked."""
        parameters = {
            "occurred_at": at,
            "actor": origin.actor,
            "request_id": origin.request_id,
            "details": Jsonb(details),
        }
        self._connection.execute(_QUERIES["record_dry_run"], parameters)

    def _row(self, name: str, parameters: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None  # noqa: S101 - each of these answers with one row
        return row


def _run(row: DictRow) -> PolicyRun:
    status = RunStatus.RUNNING if row["ended_at"] is None else RunStatus.FINISHED
    if row["skipped_for"] is not None:
        status = RunStatus.SKIPPED
    return PolicyRun(**row, status=status, dry_run=False)
