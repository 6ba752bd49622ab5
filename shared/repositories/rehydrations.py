"""Archived bytes that are brought back, and verified then, in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.artifacts import Artifact
from shared.models.tiers import RehydratePriority
from shared.repositories.backfills import UnhashedArtifact
from shared.repositories.records import read_artifact

_QUERIES = load_queries(__file__)


class RehydrationRepository:
    """Every statement about rehydrations. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def request(self, request: Mapping[str, Any]) -> Artifact:
        """Run `registry.request_rehydration` of an artifact that is known."""
        return read_artifact(self._one("request", {"request": Jsonb(request)}))

    def end(self, request: Mapping[str, Any]) -> Artifact:
        """Run `registry.end_rehydration` of an artifact that is known."""
        return read_artifact(self._one("end", {"request": Jsonb(request)}))

    def pending(self, artifact_id: UUID) -> RehydratePriority | None:
        """How soon the bytes are wanted back; None where they are not, or no longer."""
        found = self._connection.execute(_QUERIES["pending"], {"artifact_id": artifact_id})
        row = found.fetchone()
        return RehydratePriority(row["priority"]) if row else None

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[UUID]:
        """Artifacts to look after now; until then nobody else does."""
        parameters = {"now": now, "again_at": again_at, "limit": limit}
        rows = self._connection.execute(_QUERIES["claim_due"], parameters)
        return [row["artifact_id"] for row in rows]

    def claim_verifications(
        self, now: datetime, again_at: datetime, limit: int
    ) -> list[UnhashedArtifact]:
        """Artifacts that a message is due about, until this is rolled back."""
        parameters = {"now": now, "again_at": again_at, "limit": limit}
        rows = self._connection.execute(_QUERIES["claim_verifications"], parameters)
        return [UnhashedArtifact(row["artifact_id"], row["size_bytes"] or 0) for row in rows]

    def is_verification_due(self, artifact_id: UUID) -> bool:
        """Whether the bytes of an artifact are to be verified."""
        return self._one("is_verification_due", {"artifact_id": artifact_id})["is_due"]

    def verify_later(self, artifact_id: UUID, size_bytes: int, now: datetime) -> None:
        """Have a message sent about an artifact, by which its bytes are verified."""
        parameters = {"artifact_id": artifact_id, "size_bytes": size_bytes, "now": now}
        self._connection.execute(_QUERIES["verify_later"], parameters)

    def record_verification(self, request: Mapping[str, Any]) -> None:
        """Run `registry.record_verification`."""
        self._connection.execute(_QUERIES["record_verification"], {"request": Jsonb(request)})

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None  # noqa: S101 - each of these always answers with one row
        return row
