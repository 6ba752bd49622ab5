"""Changing the state of an artifact in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.artifacts import Artifact
from shared.models.axes import Disposition
from shared.repositories.records import read_artifact_if_any

_QUERIES = load_queries(__file__)


class TransitionRepository:
    """Every statement that changes one artifact's state. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def hold(self, artifact_id: UUID) -> Artifact | None:
        """The artifact, locked until the transaction ends; None if unknown."""
        return read_artifact_if_any(self._one("hold", {"artifact_id": artifact_id}))

    def hold_bytes(
        self, artifact_id: UUID, target: Disposition, at: datetime
    ) -> tuple[Artifact, bool, bool] | None:
        """The artifact, alone at its location, and whether others point at its bytes.

        First those that are not deleted, or held; then those that are deleted and not purged.
        """
        parameters = {"artifact_id": artifact_id, "target": target, "at": at}
        row = self._one("hold_bytes", parameters)
        artifact = read_artifact_if_any(row)
        return (artifact, row["is_shared"], row["is_awaited"]) if artifact else None

    def is_state_of_another(self, artifact_id: UUID, blob_etag: str) -> bool:
        """Whether another artifact at the same location was registered with this etag."""
        parameters = {"artifact_id": artifact_id, "blob_etag": blob_etag}
        return self._one("is_state_of_another", parameters)["is_another"]

    def move_processing(self, request: Mapping[str, Any]) -> tuple[str, Artifact] | None:
        """Run `registry.move_processing`: (state before, artifact after), None if unknown."""
        return self._moved("move_processing", request)

    def move_disposition(self, request: Mapping[str, Any]) -> tuple[str, Artifact] | None:
        """Run `registry.move_disposition`: (status before, artifact after), None if unknown."""
        return self._moved("move_disposition", request)

    def update(self, request: Mapping[str, Any]) -> Artifact | None:
        """Run `registry.update_artifact`: the artifact after, None if unknown."""
        return read_artifact_if_any(self._one("update", {"request": Jsonb(request)}))

    def _moved(self, name: str, request: Mapping[str, Any]) -> tuple[str, Artifact] | None:
        row = self._one(name, {"request": Jsonb(request)})
        artifact = read_artifact_if_any(row)
        return (row["previous"], artifact) if artifact else None

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None  # noqa: S101 - each of the functions answers with one row
        return row
