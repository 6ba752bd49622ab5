"""Verifying bytes that are due, or that somebody asks about: are they as registered?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
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
from shared.models.content_hash import ContentHash
from shared.models.integrity import Verification, VerificationResult
from shared.models.registrations import Origin
from shared.repositories.build_artifacts import BuildArtifactRepository, ToldBytes
from shared.repositories.rehydrations import RehydrationRepository
from shared.repositories.transitions import TransitionRepository
from shared.services.artifact_service import ArtifactService
from shared.services.hashing import HashedContent, hash_blob
from shared.services.ingestion import IngestionService
from shared.services.ingestion_looks import blob_of
from shared.storage.accounts import Blobs

MOST_AT_ONCE = 256 * 1024**2
"""Bytes that are read while somebody waits for the answer."""

_WRITTEN_SINCE = "The blob was written again since: it holds other bytes."
_REGISTERED_SINCE = "The blob was written again since, and registered as another artifact."
_NO_CHECKSUM = "The artifact has no checksum to compare its bytes with."


@dataclass(frozen=True)
class _Outcome:
    """What came of looking at the bytes; `content_hash` as far as they were read."""

    result: VerificationResult
    reason: str | None = None
    content_hash: ContentHash | None = None


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
            told = self._comparable(artifact)
            outcome = self._compare(artifact, told, self._found(artifact, origin))
        except Retryable:
            raise
        except RegistryError as fault:
            outcome = _unread(fault)
        self._record(artifact, outcome, origin)

    def verify_now(self, artifact_id: UUID, origin: Origin) -> bool:
        """The same at once for who asks; False for what is large, which is verified later.

        Raises ArtifactNotFound, InvalidTransition for a deleted artifact and for one of whose bytes
        nothing was told, BytesNotServed, BlobNotFound (the artifact is missing then),
        BlobUnreadable, and Retryables.
        """
        artifact = self._artifacts.get_by_id(artifact_id)
        outcome = self._compare_now(artifact, self._comparable(artifact), origin)
        if outcome is not None:
            self._record(artifact, outcome, origin, is_asked=True)
        return outcome is not None

    def check_now(self, artifact_id: UUID, origin: Origin) -> Verification:
        """Likewise, but that the bytes cannot be read is a result as well, and recorded.

        Raises ArtifactNotFound, InvalidTransition as `verify_now` does, and Retryables.
        """
        artifact = self._artifacts.get_by_id(artifact_id)
        told = self._comparable(artifact)
        try:
            outcome = self._compare_now(artifact, told, origin)
        except Retryable:
            raise
        except RegistryError as fault:
            outcome = _unread(fault)
        if outcome is None:
            return Verification(result=VerificationResult.PENDING, reason=None, artifact=artifact)
        self._record(artifact, outcome, origin, is_asked=True)
        seen = self._artifacts.get_by_id(artifact_id)
        return Verification(result=outcome.result, reason=outcome.reason, artifact=seen)

    def _comparable(self, artifact: Artifact) -> ToldBytes:
        if artifact.status is Status.DELETED:
            raise InvalidTransition("The bytes of a deleted artifact are not looked at.")
        with self._database.connection() as connection:
            told = BuildArtifactRepository(connection).told_bytes(artifact.artifact_id)
        if told.checksum is None and artifact.content_hash is None:
            raise InvalidTransition(_NO_CHECKSUM)
        return told

    def _compare_now(self, artifact: Artifact, told: ToldBytes, origin: Origin) -> _Outcome | None:
        """None where the bytes are too many; then a message has them read."""
        found = self._found(artifact, origin)
        if found.size_bytes > self._most_at_once and _is_size(artifact, found):
            self._verify_later(artifact, found)
            return None
        return self._compare(artifact, told, found)

    def _compare(self, artifact: Artifact, told: ToldBytes, found: BlobProperties) -> _Outcome:
        """What hashing tells. New metadata gives a blob another etag, but no other bytes."""
        if not _is_size(artifact, found):
            reason = f"The blob has {found.size_bytes} bytes, not {artifact.size_bytes}."
            return self._other(artifact, found, _Outcome(VerificationResult.MISMATCH, reason))
        hashed = hash_blob(self._store, found, told.other_algorithm)
        if _is_same(artifact, told, hashed):
            return _Outcome(VerificationResult.OK, content_hash=hashed.content_hash)
        if artifact.blob_etag in {None, found.etag}:
            return _Outcome(VerificationResult.MISMATCH, content_hash=hashed.content_hash)
        return self._other(artifact, found, _Outcome(VerificationResult.MISMATCH, _WRITTEN_SINCE))

    def _other(self, artifact: Artifact, found: BlobProperties, outcome: _Outcome) -> _Outcome:
        """Bytes that are another artifact's were written over these: that is no corruption."""
        if artifact.blob_version_id is not None or artifact.blob_etag in {None, found.etag}:
            return outcome
        with self._database.connection() as connection:
            transitions = TransitionRepository(connection)
            is_another = transitions.is_state_of_another(artifact.artifact_id, found.etag)
        return _Outcome(VerificationResult.MISSING, _REGISTERED_SINCE) if is_another else outcome

    def _found(self, artifact: Artifact, origin: Origin) -> BlobProperties:
        blob = self._served(artifact)
        try:
            found = self._store.properties(blob, version_id=artifact.blob_version_id)
        except BlobNotFound:
            self._ingestion.look_at_blob(blob, origin)  # whatever points there is missing
            raise
        if artifact.missing_since is not None:
            self._ingestion.look_at_blob(blob, origin)  # and now it is back
        return found

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

    def _record(
        self, artifact: Artifact, outcome: _Outcome, origin: Origin, *, is_asked: bool = False
    ) -> None:
        request = {
            "artifact_id": str(artifact.artifact_id),
            "result": outcome.result,
            "reason": outcome.reason,
            "content_hash": outcome.content_hash,
            "is_asked": is_asked,
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }
        with self._database.connection() as connection:
            RehydrationRepository(connection).record_verification(request)


def _unread(fault: RegistryError) -> _Outcome:
    is_gone = isinstance(fault, BlobNotFound)
    result = VerificationResult.MISSING if is_gone else VerificationResult.UNREADABLE
    return _Outcome(result, fault.summary)


def _is_size(artifact: Artifact, found: BlobProperties) -> bool:
    return artifact.size_bytes in {None, found.size_bytes}


def _is_same(artifact: Artifact, told: ToldBytes, hashed: HashedContent) -> bool:
    if artifact.content_hash is not None:
        return hashed.content_hash == artifact.content_hash
    return told.checksum is not None and hashed.digits == told.checksum.digits
