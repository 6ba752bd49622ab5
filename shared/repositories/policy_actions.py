"""Claims of policies on artifacts, in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.errors import PolicyUnreadable
from shared.models.policies import PolicyKind, read_policy
from shared.models.policy_runs import JudgedClaim

_QUERIES = load_queries(__file__)

MOST_SENDS = 5
"""What the store never answers to must not keep its run, and with it the policy, for ever."""

_GIVEN_UP = f"Nothing came of {MOST_SENDS} messages, an hour apart: see what was set aside."
Outcome = Literal["acted", "refused", "failed"]


class PolicyActionRepository:
    """Every statement about claims. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def kind_of(self, artifact_id: UUID) -> PolicyKind | None:
        """What is wanted of an artifact, None where nothing is; raises PolicyUnreadable."""
        row = self._row("kind_of", {"artifact_id": artifact_id})
        try:
            return PolicyKind(row["kind"]) if row else None
        except ValueError:
            raise PolicyUnreadable from None

    def judge(self, artifact_id: UUID, at: datetime) -> JudgedClaim | None:
        """The claim on an artifact that the caller holds; None where it was acted on by now."""
        row = self._row("judge", {"artifact_id": artifact_id, "at": at})
        if row is None or row["run_id"] is None:
            return None
        policy = read_policy(row.pop("policy"))
        return JudgedClaim(policy=policy, **row)

    def settle(
        self, artifact_id: UUID, outcome: Outcome, *, reason: str | None = None, size: int = 0
    ) -> UUID | None:
        """Say what came of a claim, once: answers with its run, None where that was said."""
        parameters = {
            "artifact_id": artifact_id,
            "outcome": outcome,
            "reason": reason,
            "bytes": size,
        }
        row = self._row("settle", parameters)
        return row["run_id"] if row else None

    def take_unsent(self, at: datetime, again_at: datetime, limit: int) -> list[UUID]:
        """Artifacts about which a message is to be sent, before this is committed.

        Claims of which nothing came after MOST_SENDS messages fail instead.
        """
        parameters = {
            "at": at,
            "again_at": again_at,
            "limit": limit,
            "most_sends": MOST_SENDS,
            "given_up": _GIVEN_UP,
        }
        rows = self._connection.execute(_QUERIES["take_unsent"], parameters).fetchall()
        return [row["artifact_id"] for row in rows if row["is_wanted"]]

    def send_now(self, run_id: UUID, at: datetime) -> None:
        """Leave what a run still wants to messages."""
        self._connection.execute(_QUERIES["send_now"], {"run_id": run_id, "at": at})

    def _row(self, name: str, parameters: Mapping[str, Any]) -> DictRow | None:
        return self._connection.execute(_QUERIES[name], parameters).fetchone()
