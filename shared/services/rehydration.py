"""Bringing archived bytes back to where they can be read, which may take hours."""

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.database.pool import Database
from shared.errors import (
    BytesNotServed,
    BytesUncertain,
    InvalidTransition,
    RegistryError,
    Retryable,
)
from shared.models.artifacts import Artifact
from shared.models.axes import Disposition
from shared.models.blobs import BlobProperties
from shared.models.registrations import Origin
from shared.models.rehydrations import RehydrateRequest
from shared.models.tiers import ColderTier, RehydratePriority, WarmerTier
from shared.repositories.rehydrations import RehydrationRepository
from shared.services.ingestion_looks import blob_of
from shared.services.transitions import held_artifact, require_state
from shared.storage.accounts import Blobs

AGAIN_AFTER = timedelta(minutes=5)
_CLAIMED = 20


class RehydrationService:
    """Records what is wanted before the store is asked, so that a crash between loses nothing.

    What came back stays archived: it is not the asset's current artifact again, and waits anew for
    what policies do to archived ones. What is held may be brought back.
    """

    def __init__(
        self,
        database: Database,
        store: Blobs,
        clock: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._seconds = seconds

    def rehydrate(
        self,
        artifact_id: UUID,
        asked: RehydrateRequest,
        origin: Origin,
        *,
        if_match: Collection[str] | None = None,
    ) -> Artifact:
        """Have the bytes brought back; until they are, `rehydrating_to` of the artifact says so.

        Asking again changes nothing. Raises ArtifactNotFound, PreconditionFailed,
        InvalidTransition unless the artifact is archived and its bytes lie in a colder tier,
        BytesNotServed, BytesUncertain where the blob was written since, BlobNotFound,
        BlobUnreadable where the store refuses, and StorageUnavailable before anything is recorded.
        """
        with held_artifact(self._database, artifact_id) as (connection, artifact):
            require_state(artifact, if_match)
            if not self._has_to_be_asked(artifact, asked.target_tier):
                return artifact
            request = self._request(artifact_id, origin) | asked.model_dump(mode="json")
            wanted = RehydrationRepository(connection).request(request)
        try:
            return self._advance(artifact_id, origin)
        except Retryable:
            return wanted  # the timer goes on with what is recorded

    def check_due(self, most_seconds: float, origin: Origin) -> int:
        """Look after what is being brought back, and say after how many artifacts.

        Those that nobody looked after for longest come first. What is refused ends there; raises
        the last Retryable that was met, once it has gone through all that is due.
        """
        end = self._seconds() + most_seconds
        looked_after = 0
        passing: Retryable | None = None
        while self._seconds() < end and (due := self._claim()):
            for artifact_id in due:
                try:
                    self._advance(artifact_id, origin)
                except Retryable as fault:
                    passing = fault
                except RegistryError:
                    continue  # the audit trail tells
            looked_after += len(due)
        if passing:
            raise passing
        return looked_after

    def _has_to_be_asked(self, artifact: Artifact, target: WarmerTier) -> bool:
        if artifact.disposition is not Disposition.ARCHIVED:
            raise InvalidTransition("Only what is archived can be brought back.")
        if artifact.rehydrating_to is not None:
            if artifact.rehydrating_to != target:
                to = artifact.rehydrating_to
                raise InvalidTransition(f"It is being brought back to the tier '{to}' already.")
            return False
        present = self._found(artifact).tier
        if present != target and not target.is_warmer_than(present):
            raise InvalidTransition(f"The bytes are in the tier '{present}' already.")
        return not (present == artifact.storage_tier == target)

    def _advance(self, artifact_id: UUID, origin: Origin) -> Artifact:
        """Do what is next about an artifact's bytes; raises what refuses them, which is recorded.

        Under the lock of its asset nobody archives it meanwhile.
        """
        with held_artifact(self._database, artifact_id) as (connection, artifact):
            rehydrations = RehydrationRepository(connection)
            priority = rehydrations.pending(artifact_id)
            if priority is None:
                return artifact
            request = self._request(artifact_id, origin)
            try:
                tier = self._bring_back(artifact, priority)
            except Retryable:
                raise
            except RegistryError as fault:
                rehydrations.end(request | {"reason": fault.summary})
                refused = fault
            else:
                return rehydrations.end(request | {"storage_tier": tier}) if tier else artifact
        raise refused

    def _bring_back(self, artifact: Artifact, priority: RehydratePriority) -> str | None:
        """The tier in which the bytes lie; None as long as they are on their way."""
        if artifact.disposition is not Disposition.ARCHIVED or artifact.rehydrating_to is None:
            raise InvalidTransition("It is not archived any more.")
        target = WarmerTier(artifact.rehydrating_to)
        found = self._found(artifact)
        if found.archive_status is None and target.is_warmer_than(found.tier):
            self._store.set_tier(found, target, priority)
            found = self._found(artifact)
        is_pending = found.archive_status is not None or found.tier == ColderTier.ARCHIVE
        return None if is_pending else found.tier

    def _found(self, artifact: Artifact) -> BlobProperties:
        blob = blob_of(artifact)
        if blob is None or not self._store.serves(blob.account):
            raise BytesNotServed
        found = self._store.properties(blob, version_id=artifact.blob_version_id)
        if artifact.blob_version_id is None and artifact.blob_etag not in {None, found.etag}:
            raise BytesUncertain
        return found

    def _claim(self) -> list[UUID]:
        now = self._clock()
        with self._database.connection() as connection:
            return RehydrationRepository(connection).claim_due(now, now + AGAIN_AFTER, _CLAIMED)

    def _request(self, artifact_id: UUID, origin: Origin) -> dict[str, Any]:
        return {
            "artifact_id": str(artifact_id),
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }
