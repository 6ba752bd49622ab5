"""Verifying bytes that were brought back: are they those that were registered?"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from shared.database.pool import Database
from shared.errors import BlobNotFound, BytesNotServed, RegistryError, Retryable
from shared.models.artifacts import Artifact
from shared.models.blobs import BlobProperties
from shared.models.content_hash import ContentHash
from shared.models.registrations import Origin
from shared.repositories.rehydrations import RehydrationRepository
from shared.services.artifact_service import ArtifactService
from shared.services.hashing import hash_blob
from shared.services.ingestion import IngestionService
from shared.services.ingestion_looks import blob_of
from shared.storage.accounts import Blobs

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
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._ingestion = ingestion
        self._store = store
        self._clock = clock

    def verify(self, artifact_id: UUID, origin: Origin) -> None:
        """Compare the bytes of an artifact with its hash, unless that is not due any more.

        What cannot be read is not verified, and the audit trail says why. Raises a Retryable.
        """
        with self._database.connection() as connection:
            if not RehydrationRepository(connection).is_verification_due(artifact_id):
                return
        artifact = self._artifacts.get_by_id(artifact_id)
        request = {"artifact_id": str(artifact_id), "origin": origin.as_json()}
        try:
            request |= self._compare(artifact, origin)
        except Retryable:
            raise
        except RegistryError as fault:
            request["reason"] = fault.summary
        with self._database.connection() as connection:
            request["at"] = self._clock().isoformat()
            RehydrationRepository(connection).record_verification(request)

    def _compare(self, artifact: Artifact, origin: Origin) -> dict[str, str]:
        """What hashing tells. New metadata gives a blob another etag, but no other bytes."""
        found, content_hash = self._hash(artifact, origin)
        is_as_registered = artifact.blob_etag in {None, found.etag}
        if content_hash == artifact.content_hash or is_as_registered:
            return {"content_hash": content_hash}
        return {"reason": _WRITTEN_SINCE}

    def _hash(self, artifact: Artifact, origin: Origin) -> tuple[BlobProperties, ContentHash]:
        blob = blob_of(artifact)
        if blob is None:
            raise BytesNotServed
        try:
            found = self._store.properties(blob, version_id=artifact.blob_version_id)
        except BlobNotFound:
            self._ingestion.look_at_blob(blob, origin)  # whatever points there is missing
            raise
        return found, hash_blob(self._store, found).content_hash
