"""Artifacts in PostgreSQL: writes go through the functions of the migrations, reads are queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from shared.database.queries import load_queries
from shared.models.artifacts import Artifact
from shared.models.blobs import BlobProperties
from shared.models.ids import ArtifactId
from shared.models.registrations import Outcome, Registration
from shared.repositories.records import read_artifact, read_artifact_if_any, read_artifacts

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Observation:
    """A place in the order of what was seen of one blob, and what the asset holds of that state."""

    number: int
    artifact_id: ArtifactId | None
    is_missing: bool = False
    """Whether an artifact at the blob's location is taken for missing."""


class ArtifactRepository:
    """Every statement about single artifacts. Never commits: that is the caller's call."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def register(self, request: Mapping[str, Any]) -> Registration:
        """Run `registry.register_artifact`; a conflict is an outcome here, not yet an error."""
        row = self._one("register", {"request": Jsonb(request)})
        assert row is not None  # noqa: S101 - the function always answers with one row
        return Registration(Outcome(row["outcome"]), read_artifact(row))

    def register_batch(self, requests: Sequence[Mapping[str, Any]]) -> list[Registration]:
        """Run `registry.register_artifacts`; answers in the order of the requests."""
        parameters = {"requests": Jsonb(requests)}
        rows = self._connection.execute(_QUERIES["register_batch"], parameters).fetchall()
        return [Registration(Outcome(row["outcome"]), read_artifact(row)) for row in rows]

    def prepare_one_by_one(self, requests: Sequence[Mapping[str, Any]]) -> list[int]:
        """The places of the requests, in the order in which one transaction may take them."""
        parameters = {"requests": Jsonb(requests)}
        rows = self._connection.execute(_QUERIES["prepare_one_by_one"], parameters).fetchall()
        return [row["place"] for row in rows]

    def get(self, artifact_id: UUID) -> Artifact | None:
        return self.get_each([artifact_id]).get(artifact_id)

    def get_each(self, artifact_ids: Collection[UUID]) -> dict[UUID, Artifact]:
        """Those of these artifacts that exist, by id."""
        parameters = {"artifact_ids": list(artifact_ids)}
        rows = self._connection.execute(_QUERIES["get_each"], parameters).fetchall()
        return {artifact.artifact_id: artifact for artifact in read_artifacts(rows)}

    def of_stac_item(self, collection_id: str, item_id: str) -> Artifact | None:
        """The active artifact of a STAC item, else its newest."""
        return self._artifact("of_stac_item", {"collection_id": collection_id, "item_id": item_id})

    def of_job(self, job_id: str, *, after: UUID, limit: int) -> list[Artifact]:
        """Artifacts that a job made, by id, beginning behind `after`."""
        parameters = {"job_id": job_id, "after": after, "limit": limit}
        rows = self._connection.execute(_QUERIES["of_job"], parameters).fetchall()
        return read_artifacts(rows)

    def observe(
        self, client_type: str, client_refs: Mapping[str, JsonValue], blob: BlobProperties
    ) -> Observation:
        """Take an observation number after the blob's etag was read.

        Hashing confirms the etag once more afterwards. So of two states of one blob, the earlier
        always has the lower number, whatever the order in which workers come to register them.
        """
        row = self._one(
            "observe",
            {
                "client_type": client_type,
                "client_refs": Jsonb(client_refs),
                "storage_account": blob.reference.account,
                "container": blob.reference.container,
                "blob_path": blob.reference.path,
                "blob_etag": blob.etag,
            },
        )
        assert row is not None  # noqa: S101 - the function always answers with one row
        return Observation(row["observation"], row["artifact_id"], row["is_missing"])

    def next_observation(self) -> int:
        """A number higher than those of all who have looked before, and lower than later ones'."""
        row = self._one("next_observation", {})
        assert row is not None  # noqa: S101 - likewise
        return row["observation"]

    def _artifact(self, name: str, parameters: Mapping[str, Any]) -> Artifact | None:
        return read_artifact_if_any(self._one(name, parameters))

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow | None:
        return self._connection.execute(_QUERIES[name], parameters).fetchone()
