"""Hashing what was registered unhashed, or is to be verified, when there is time."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.database.pool import Database
from shared.errors import (
    ArtifactNotFound,
    BlobChanged,
    BlobNotFound,
    MalformedMessage,
    RegistryError,
    Retryable,
)
from shared.models.artifacts import Artifact
from shared.models.axes import Disposition
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.content_hash import ContentHash
from shared.models.registrations import Origin
from shared.models.set_aside import Message
from shared.repositories.backfills import BackfillRepository, UnhashedArtifact
from shared.repositories.rehydrations import RehydrationRepository
from shared.services.artifact_service import ArtifactService
from shared.services.backlog import Backlog
from shared.services.hashing import hash_blob
from shared.services.ingestion import IngestionService
from shared.services.ingestion_looks import blob_of
from shared.services.set_aside import SetAsideService
from shared.services.verification import Verifications
from shared.storage.accounts import Blobs
from shared.storage.queues import StorageQueue

MOST_IDS = 100
MOST_BYTES = 1024**3
"""Of one message, so that none is worked on for hours; a single blob may be larger."""

_Ids = Annotated[list[UUID], Field(min_length=1, max_length=1000)]


class HashRequest(BaseModel):
    """A message on the hashing queue: whose hashes are to be filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact_ids: _Ids


class VerifyRequest(BaseModel):
    """Another message there: whose bytes are to be compared with the hashes that are known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verify: _Ids


_REQUEST = TypeAdapter[HashRequest | VerifyRequest](HashRequest | VerifyRequest)


class LateHashes:
    """Hashes artifacts whose hash was left for later, and those that were brought back.

    Who registers or brings back says in the same transaction what is to be hashed. From there
    the timer sends messages, and again an hour later what has no answer by then: a kill at any
    point loses nothing, and what is done twice changes nothing.
    """

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactService,
        ingestion: IngestionService,
        set_aside: SetAsideService,
        store: Blobs,
        queue: StorageQueue,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._ingestion = ingestion
        self._set_aside = set_aside
        self._store = store
        self._clock = clock
        self._backlog = Backlog(database, queue, _take_due, clock)
        self._verifications = Verifications(database, artifacts, ingestion, store, clock)

    def send_due(self) -> int:
        """Fill the queue up; answers with the number of messages. Raises a Retryable."""
        return self._backlog.fill()

    def take(self, queue: str, body: bytes, origin: Origin) -> None:
        """Hash what a message names; what can never be hashed is set aside, each on its own.

        Of what cannot be verified the audit trail tells instead. A Retryable is raised at
        the end: delivering all again changes nothing that is done.
        """

        def hash_one(artifact_id: UUID) -> list[str]:
            self._hash_or_forget(artifact_id, origin)
            return []

        def verify_one(artifact_id: UUID) -> list[str]:
            self._verifications.verify(artifact_id, origin)
            return []

        def use(message: Message, document: object) -> None:
            match _read(document):
                case HashRequest(artifact_ids=[artifact_id]):
                    hash_one(artifact_id)
                case HashRequest(artifact_ids=wanted):
                    self._set_aside.use_each(message.source, wanted, hash_one, _alone, origin)
                case VerifyRequest(verify=wanted):
                    self._set_aside.use_each(
                        message.source, wanted, verify_one, _verified_alone, origin
                    )

        self._set_aside.take(Message(queue, body), origin, use)

    def hash_artifact(self, artifact_id: UUID, origin: Origin) -> None:
        """Fill in the hash of an artifact, if it is the state that the store holds.

        Another state is registered instead; what has a hash, or is deleted, stays as it is. Raises
        what the store raises.
        """
        artifact = self._unhashed(artifact_id)
        reference = blob_of(artifact) if artifact else None
        if artifact is None or reference is None:
            self._forget(artifact_id)
            return
        found = self._found(artifact, reference, origin)
        if found.etag != artifact.blob_etag:
            self._ingestion.register_blob(reference, origin)
            self._forget(artifact_id)
            return
        self._record(artifact, hash_blob(self._store, found).content_hash, origin)

    def _found(self, artifact: Artifact, blob: BlobReference, origin: Origin) -> BlobProperties:
        try:
            return self._store.properties(blob, version_id=artifact.blob_version_id)
        except BlobNotFound:
            self._ingestion.look_at_blob(blob, origin)  # whatever points there is missing
            raise

    def _hash_or_forget(self, artifact_id: UUID, origin: Origin) -> None:
        """What cannot be hashed is waited for no longer: it is set aside, and can be replayed."""
        try:
            self.hash_artifact(artifact_id, origin)
        except Retryable:
            raise
        except RegistryError:
            self._forget(artifact_id)
            raise

    def _unhashed(self, artifact_id: UUID) -> Artifact | None:
        try:
            artifact = self._artifacts.get_by_id(artifact_id)
        except ArtifactNotFound:
            return None
        is_there = artifact.disposition in {Disposition.LIVE, Disposition.ARCHIVED}
        return artifact if is_there and artifact.content_hash is None else None

    def _record(self, artifact: Artifact, content_hash: ContentHash, origin: Origin) -> None:
        request = {
            "artifact_id": str(artifact.artifact_id),
            "blob_etag": artifact.blob_etag,
            "content_hash": content_hash,
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }
        with self._database.connection() as connection:
            if BackfillRepository(connection).record_hash(request) == "other":
                raise BlobChanged

    def _forget(self, artifact_id: UUID) -> None:
        with self._database.connection() as connection:
            BackfillRepository(connection).forget_unhashed(artifact_id)


def _take_due(
    connection: Connection[DictRow], now: datetime, again_at: datetime, most: int
) -> list[HashRequest | VerifyRequest]:
    """First what somebody brought back, which is never as much as what a backfill leaves."""
    back = RehydrationRepository(connection).claim_verifications(now, again_at, most)
    if back:
        return [VerifyRequest(verify=ids) for ids in _portions(back)]
    unhashed = BackfillRepository(connection).claim_unhashed(now, again_at, most)
    return [HashRequest(artifact_ids=ids) for ids in _portions(unhashed)]


def _read(document: object) -> HashRequest | VerifyRequest:
    try:
        return _REQUEST.validate_python(document)
    except ValidationError:
        raise MalformedMessage(
            'Not a request to hash: {"artifact_ids": [...]} or {"verify": [...]}.'
        ) from None


def _alone(artifact_id: UUID) -> bytes:
    return HashRequest(artifact_ids=[artifact_id]).model_dump_json().encode()


def _verified_alone(artifact_id: UUID) -> bytes:
    return VerifyRequest(verify=[artifact_id]).model_dump_json().encode()


def _portions(due: Iterable[UnhashedArtifact]) -> Iterator[list[UUID]]:
    ids: list[UUID] = []
    size_bytes = 0
    for artifact in due:
        if ids and (len(ids) == MOST_IDS or size_bytes + artifact.size_bytes > MOST_BYTES):
            yield ids
            ids, size_bytes = [], 0
        ids.append(artifact.artifact_id)
        size_bytes += artifact.size_bytes
    if ids:
        yield ids
