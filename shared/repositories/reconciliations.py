"""Comparisons of store and registry in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.ids import ArtifactId
from shared.models.listed_blobs import BlobScope, ListedBlob
from shared.models.reconciliations import Finding

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class ComparedArtifact:
    """Where an artifact points, and whether the store was found to hold something there."""

    blob_path: str
    artifact_id: ArtifactId
    blob_version_id: str | None
    is_listed: bool
    is_missing: bool
    """That nothing is there is known already."""


class ReconciliationRepository:
    """Every statement about comparisons. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def compare_listed(
        self, run_id: UUID, scope: BlobScope, blobs: Sequence[ListedBlob]
    ) -> list[tuple[ListedBlob, Finding]]:
        """The blobs that are not as registered; all of them are remembered for the other way."""
        parameters = {
            "run_id": run_id,
            "storage_account": scope.account,
            "container": scope.container,
            "paths": [blob.path for blob in blobs],
            "etags": [blob.etag for blob in blobs],
            "sizes": [blob.size_bytes for blob in blobs],
        }
        rows = self._connection.execute(_QUERIES["compare_listed"], parameters).fetchall()
        return [(blobs[row["place"]], Finding(row["finding"])) for row in rows]

    def compare_registered(
        self, run_id: UUID, scope: BlobScope, *, after_path: str, after_id: UUID, limit: int
    ) -> list[ComparedArtifact]:
        """A page of a container's artifacts that are not deleted; of long prefixes, others too."""
        parameters = {
            "run_id": run_id,
            "storage_account": scope.account,
            "container": scope.container,
            "prefix": scope.prefix,
            "after_path": after_path,
            "after_id": after_id,
            "limit": limit,
        }
        rows = self._connection.execute(_QUERIES["compare_registered"], parameters).fetchall()
        return [ComparedArtifact(**row) for row in rows]

    def forget(self, first_run: UUID, last_run: UUID, limit: int) -> int:
        """Forget some of what these runs have remembered; how much that was."""
        parameters = {"first_run": first_run, "last_run": last_run, "limit": limit}
        row = self._connection.execute(_QUERIES["forget"], parameters).fetchone()
        assert row is not None  # noqa: S101 - the function always answers with one row
        return row["forgotten"]
