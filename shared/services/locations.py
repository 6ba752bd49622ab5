"""What becomes of the places that artifacts point at."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.models.artifacts import Artifact
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Origin
from shared.repositories.artifacts import ArtifactRepository
from shared.repositories.locations import LocationRepository, RegisteredPath, SightedPage

PAGE = 500
"""Artifacts that one transaction follows a look on."""

FIRST = UUID(int=0)
"""Comes before every artifact."""


@dataclass(frozen=True)
class Look:
    """What the store held under a name, when asked after an observation number was taken."""

    blob: BlobReference
    observation: int
    found: BlobProperties | None


@dataclass(frozen=True)
class AssetIdentity:
    """Which asset."""

    client_type: str
    client_refs: dict[str, JsonValue]


class ArtifactLocations:
    """Every call is one transaction, in which nobody registers anything at the location."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def next_observation(self) -> int:
        """A number to take before the store is asked: of several looks the highest one counts."""
        with self._database.connection() as connection:
            return ArtifactRepository(connection).next_observation()

    def follow_look(
        self,
        look: Look,
        origin: Origin,
        *,
        after: UUID,
        versions: Collection[str] = (),
        deleted: AssetIdentity | None = None,
    ) -> SightedPage:
        """Let a page of the artifacts at a location be as the store showed it.

        Where nothing was there, those seen before are missing; else none is, and those of the state
        that was found lie in its tier. Nothing changes where a later look is known. `versions` are
        those of the blob that are gone as the blob itself is. `deleted` is the asset whose
        artifacts are deleted with their blob.
        """
        request = _located(look.blob) | {
            "observation": look.observation,
            "blob_etag": look.found.etag if look.found else None,
            "storage_tier": look.found.tier if look.found else None,
            "versions": list(versions),
            "deleted": vars(deleted) if deleted else None,
            "after": str(after),
            "most": PAGE,
        }
        with self._database.connection() as connection, constraint_errors():
            return LocationRepository(connection).sight(self._stamped(request, origin))

    def move(
        self, artifact: Artifact, place: dict[str, Any], absence: Look, origin: Origin
    ) -> bool:
        """Let an artifact point at the place where its bytes were found.

        `absence` is a look that found nothing where it points. False where that holds no more.
        """
        request = {
            "artifact_id": str(artifact.artifact_id),
            "content_hash": artifact.content_hash,
            "left": _located(absence.blob),
            "absence": absence.observation,
            "artifact": place,
        }
        with self._database.connection() as connection, constraint_errors():
            return LocationRepository(connection).move(self._stamped(request, origin))

    def paths_under(
        self, folder: BlobReference, after: RegisteredPath, limit: int
    ) -> list[RegisteredPath]:
        """A page of what artifacts that are not deleted point at in a folder."""
        with self._database.connection() as connection:
            return LocationRepository(connection).paths_under(folder, after, limit)

    def _stamped(self, request: dict[str, Any], origin: Origin) -> dict[str, Any]:
        return request | {"origin": origin.as_json(), "at": self._clock().isoformat()}


def _located(blob: BlobReference) -> dict[str, Any]:
    return {
        "storage_account": blob.account,
        "container": blob.container,
        "blob_path": blob.path,
    }
