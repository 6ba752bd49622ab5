"""Backfills in PostgreSQL: how far they came, lists of blobs, and hashes that are still to come."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Json, Jsonb
from pydantic_core import to_json

from shared.database.queries import load_queries
from shared.models.backfills import Checkpoint, Counts, Tally
from shared.models.ids import ArtifactId
from shared.models.listed_blobs import BlobScope

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class UnhashedArtifact:
    """An artifact whose hash is waited for."""

    artifact_id: ArtifactId
    size_bytes: int


class BackfillRepository:
    """Every statement about backfills. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def begin(self, scope: BlobScope, source: str, at: datetime, *, anew: bool) -> Checkpoint:
        """Where a backfill goes on; at the beginning where it is new, completed, or to be so."""
        which = {
            "storage_account": scope.account,
            "container": scope.container,
            "prefix": scope.prefix,
            "source": source,
        }
        self._connection.execute(_QUERIES["forget"], which | {"anew": anew})
        row = self._one("begin", which | {"at": at})
        return Checkpoint(
            backfill_key=str(row["backfill_key"]),
            marker=row["marker"],
            started_observation=row["started_observation"],
            counts=Counter({Tally(name): count for name, count in row["counts"].items()}),
        )

    def advance(self, backfill_key: str, marker: str | None, counts: Counts, at: datetime) -> None:
        """Keep where a backfill would go on, and what came of all before."""
        parameters = {"backfill_key": backfill_key, "marker": marker, "counts": Jsonb(counts)}
        self._connection.execute(_QUERIES["advance"], parameters | {"at": at})

    def register_listed(
        self, listed: Sequence[Mapping[str, Any]], common: Mapping[str, Any]
    ) -> list[Tally]:
        """Run `registry.register_listed`; what came of each, in no order."""
        parameters = {"listed": Json(listed, dumps=to_json), "common": Jsonb(common)}
        rows = self._connection.execute(_QUERIES["register_listed"], parameters)
        return [Tally(row["outcome"]) for row in rows]

    def record_hash(self, request: Mapping[str, Any]) -> str:
        """Run `registry.record_hash`: `recorded`, `known`, `other` or `gone`."""
        return self._one("record_hash", {"request": Jsonb(request)})["outcome"]

    def claim_unhashed(
        self, now: datetime, again_at: datetime, limit: int
    ) -> list[UnhashedArtifact]:
        """Artifacts that a message is due about, until this is rolled back."""
        parameters = {"now": now, "again_at": again_at, "limit": limit}
        rows = self._connection.execute(_QUERIES["claim_unhashed"], parameters)
        return [UnhashedArtifact(row["artifact_id"], row["size_bytes"] or 0) for row in rows]

    def forget_unhashed(self, artifact_id: UUID) -> None:
        """Wait for the hash of an artifact no longer."""
        self._connection.execute(_QUERIES["forget_unhashed"], {"artifact_id": artifact_id})

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None  # noqa: S101 - each of these always answers with one row
        return row
