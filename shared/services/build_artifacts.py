"""Artifacts of builds: registered, found, changed and deleted as the document has it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import ArtifactConflict, ArtifactNotFound, BuildNotFound, InvalidInput
from shared.models.artifacts import unsigned
from shared.models.axes import Processing, Stage
from shared.models.blob_urls import read_blob_url
from shared.models.build_artifacts import (
    CLIENT_TYPE,
    BuildArtifact,
    BuildArtifactFilter,
    BuildArtifactPage,
    BuildArtifactRequest,
)
from shared.models.checksums import Checksum, parse_checksum
from shared.models.cursors import name_list, read_id, write_cursor
from shared.models.ids import new_id
from shared.models.registrations import IdempotencyKey, Origin
from shared.repositories.build_artifacts import Added, BuildArtifactRepository
from shared.services.asked import require_page
from shared.services.idempotency import do_in_transaction
from shared.services.ingestion_looks import BLOB_BACKENDS
from shared.services.verification import Verifications


class BuildArtifactService:
    """Every change is one transaction, and in the audit trail."""

    def __init__(
        self, database: Database, verifications: Verifications, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._verifications = verifications
        self._clock = clock

    def register(
        self,
        build_id: UUID,
        wanted: BuildArtifactRequest,
        origin: Origin,
        *,
        idempotency: IdempotencyKey | None = None,
    ) -> BuildArtifact:
        """Register an artifact of a build, which may have ended.

        Raises BuildNotFound, ArtifactConflict where the name is in use and `overwrite` is not set,
        and InvalidInput for an expiry that has passed.
        """
        now = self._clock()
        require_future(wanted.expires_at, now)
        request = artifact_request(build_id, wanted, origin=origin, at=now)
        with self._database.connection() as connection, constraint_errors():
            return do_in_transaction(
                connection,
                idempotency,
                now,
                TypeAdapter(BuildArtifact),
                lambda: _added(BuildArtifactRepository(connection).add(request)),
            )

    def get(self, build_id: UUID, artifact_id: UUID) -> BuildArtifact:
        """One artifact, also a tombstone. Raises ArtifactNotFound, also for another build's."""
        with self._database.connection() as connection:
            found = BuildArtifactRepository(connection).get(build_id, artifact_id)
        if found is None:
            raise ArtifactNotFound
        return found

    def list_artifacts(
        self,
        build_id: UUID,
        wanted: BuildArtifactFilter,
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> BuildArtifactPage:
        """A page of those that satisfy every condition, by state and time.

        Of each name the newest revision that is not deleted, unless a deleted one had superseded
        it. Raises BuildNotFound, and InvalidInput for a limit outside 1 to MAXIMUM_PAGE or a
        cursor of another list.
        """
        require_page(limit)
        name = name_list("build-artifacts", build_id, wanted.model_dump(mode="json"))
        after = read_id(name, cursor) if cursor else None
        with self._database.connection() as connection:
            found = BuildArtifactRepository(connection).page(build_id, wanted, after, limit + 1)
        if found is None:
            raise BuildNotFound
        following = write_cursor(name, found[limit - 1].id) if len(found) > limit else None
        return BuildArtifactPage(artifacts=found[:limit], next=following)


def artifact_request(
    build_id: UUID,
    wanted: BuildArtifactRequest,
    *,
    origin: Origin,
    at: datetime,
    step_id: UUID | None = None,
) -> dict[str, Any]:
    """What `registry.register_build_artifact` takes."""
    checksum = (
        parse_checksum(wanted.checksum, wanted.checksum_algorithm) if wanted.checksum else None
    )
    told = wanted.model_dump(mode="json")
    return {
        "run_id": str(build_id),
        **{name: told[name] for name in ("state_code", "storage_bucket", "storage_key")},
        "checksum": checksum and checksum.text,
        "checksum_algorithm": checksum and checksum.algorithm,
        "registration": {
            "client_type": CLIENT_TYPE,
            "client_refs": {"build_id": str(build_id), "name": wanted.artifact_name},
            "asset_id": str(new_id()),
            "overwrite": wanted.overwrite,
            "register_unchanged": True,
            "is_repeatable": False,
            "once_per_state": False,
            "origin": origin.as_json(),
            "artifact": _located(wanted)
            | _content(told, checksum)
            | {
                "artifact_id": str(new_id()),
                "run_id": str(build_id),
                "step_id": str(step_id) if step_id else None,
                "created_at": at.isoformat(),
            },
        },
    }


def require_future(expires_at: datetime | None, now: datetime) -> None:
    """Raise InvalidInput for an expiry that has passed."""
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("The artifact would have expired already.", "/expires_at")


_CONTENT = (
    "artifact_type",
    "storage_backend",
    "storage_region",
    "size_bytes",
    "is_resumable",
    "is_final",
    "expires_at",
    "metadata",
)


def _content(told: dict[str, Any], checksum: Checksum | None) -> dict[str, Any]:
    return {name: told[name] for name in _CONTENT} | {
        "content_hash": checksum and checksum.content_hash,
        "processing": Processing.COMPLETED,
        "stage": Stage.INTERMEDIATE,
    }


def _located(wanted: BuildArtifactRequest) -> dict[str, Any]:
    """Where the bytes are: the registry acts on blobs; everything else is a reference."""
    address = {"uri": unsigned(wanted.artifact_path)}
    found = read_blob_url(wanted.artifact_path)
    if wanted.storage_backend not in BLOB_BACKENDS or found is None:
        return address
    return address | {
        "storage_account": found.blob.account,
        "container": found.blob.container,
        "blob_path": found.blob.path,
        "blob_version_id": found.version_id,
    }


def _added(came: Added) -> BuildArtifact:
    if came.artifact is not None:
        return came.artifact
    if came.in_the_way is None:
        raise BuildNotFound
    raise ArtifactConflict(came.in_the_way)
