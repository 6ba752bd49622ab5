"""Verifying bytes that were brought back, or that somebody asks about: are they as registered?"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database.pool import Database
from shared.errors import (
    BlobNotFound,
    BytesNotServed,
    InvalidTransition,
    RegistryError,
    Retryable,
)
from shared.models.artifacts import Artifact
from shared.models.axes import Status
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Origin
from shared.repositories.build_artifacts import BuildArtifactRepository, ToldBytes
from shared.repositories.rehydrations import RehydrationRepository
from shared.services.artifact_service import ArtifactService
from shared.services.hashing import HashedContent, hash_blob
from shared.services.ingestion import IngestionService
from shared.services.ingestion_looks import blob_of
from shared.storage.accounts import Blobs

MOST_AT_ONCE = 256 * 1024**2
"""Bytes that are read while somebody waits for the answer."""

_WRITTEN_SINCE = "The blob was written again since: it holds other bytes."


class Verifications:
    """Hashes what is to be verified, and records what came of it, good or bad."""

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactService,
        ingestion: IngestionService,
        store: Blobs,
        clock: Callable[[], datetime],
        *,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._ingestion = ingestion
        self._store = store
        self._clock = clock
        self._most_at_once = most_at_once

    def verify(self, artifact_id: UUID, origin: Origin) -> None:
        """Compare the bytes of an artifact with its hash, unless that is not due any more.

        What cannot be read is not verified, and the audit trail says why. Raises a Retryable.
        """
        with self._database.connection() as connection:
            if not RehydrationRepository(connection).is_verification_due(artifact_id):
                return
        artifact = self._artifacts.get_by_id(artifact_id)
        try:
            outcome = self._compare(artifact, self._told(artifact), self._found(artifact, origin))
        except Retryable:
            raise
        except RegistryError as fault:
            outcome = {"is_same": None, "reason": fault.summary}
        self._record(artifact, outcome, origin)

    def verify_now(self, artifact_id: UUID, origin: Origin) -> bool:
        """The same at once for who asks; False for what is large, which is verified later.

        Raises ArtifactNotFound, InvalidTransition for a deleted artifact and for one of whose bytes
        nothing was told, BytesNotServed, BlobNotFound (the artifact is missing then),
        BlobUnreadable, and Retryables.
        """
        artifact = self._artifacts.get_by_id(artifact_id)
        if artifact.status is Status.DELETED:
            raise InvalidTransition("The bytes of a deleted artifact are not looked at.")
        told = self._told(artifact)
        if told.checksum is None and artifact.content_hash is None:
            raise InvalidTransition("The artifact has no checksum to compare its bytes with.")
        found = self._found(artifact, origin)
        if artifact.missing_since is not None:
            self._ingestion.look_at_blob(found.reference, origin)
        if found.size_bytes > self._most_at_once and told.is_size(found.size_bytes):
            self._verify_later(artifact, found)
            return False
        outcome = self._compare(artifact, told, found) | {"is_asked": True}
        self._record(artifact, outcome, origin)
        return True

    def _told(self, artifact: Artifact) -> ToldBytes:
        with self._database.connection() as connection:
            return BuildArtifactRepository(connection).told_bytes(artifact.artifact_id)

    def _compare(
        self, artifact: Artifact, told: ToldBytes, found: BlobProperties
    ) -> dict[str, Any]:
        """What hashing tells. New metadata gives a blob another etag, but no other bytes."""
        if not told.is_size(found.size_bytes):
            return {
                "is_same": False,
                "reason": f"The blob has {found.size_bytes} bytes, not {told.size_bytes}.",
            }
        hashed = hash_blob(self._store, found, told.other_algorithm)
        is_same = _is_same(artifact, told, hashed)
        if is_same or artifact.blob_etag in {None, found.etag}:
            return {"is_same": is_same, "content_hash": hashed.content_hash}
        return {"is_same": False, "reason": _WRITTEN_SINCE}

    def _found(self, artifact: Artifact, origin: Origin) -> BlobProperties:
        blob = self._served(artifact)
        try:
            return self._store.properties(blob, version_id=artifact.blob_version_id)
        except BlobNotFound:
            self._ingestion.look_at_blob(blob, origin)  # whatever points there is missing
            raise

    def _served(self, artifact: Artifact) -> BlobReference:
        blob = blob_of(artifact)
        if blob is None or not self._store.serves(blob.account):
            raise BytesNotServed
        return blob

    def _verify_later(self, artifact: Artifact, found: BlobProperties) -> None:
        with self._database.connection() as connection:
            RehydrationRepository(connection).verify_later(
                artifact.artifact_id, found.size_bytes, self._clock()
            )

    def _record(self, artifact: Artifact, outcome: dict[str, Any], origin: Origin) -> None:
        request = outcome | {
            "artifact_id": str(artifact.artifact_id),
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }
        with self._database.connection() as connection:
            RehydrationRepository(connection).record_verification(request)


def _is_same(artifact: Artifact, told: ToldBytes, hashed: HashedContent) -> bool:
    if artifact.content_hash is not None:
        return hashed.content_hash == artifact.content_hash
    return told.checksum is not None and hashed.digits == told.checksum.digits
