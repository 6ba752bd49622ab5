"""Hashing what was registered unhashed, when there is time."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
from shared.models.ids import ArtifactId
from shared.models.registrations import Origin
from shared.models.set_aside import Message
from shared.repositories.backfills import BackfillRepository, UnhashedArtifact
from shared.services.artifact_service import ArtifactService
from shared.services.hashing import hash_blob
from shared.services.ingestion import IngestionService
from shared.services.ingestion_looks import blob_of
from shared.services.set_aside import SetAsideService
from shared.storage.accounts import Blobs
from shared.storage.queues import StorageQueue

MOST_IDS = 100
MOST_BYTES = 1024**3
"""Of one message, so that none is worked on for hours; a single blob may be larger."""

DEEPEST = 200
"""Messages that wait at most. The table is the backlog: a queue that holds little is quick, and
what fails is tried again while most of the work is still to be done."""

_AGAIN_AFTER = timedelta(hours=1)
_CLAIMED = 1000


class HashRequest(BaseModel):
    """A message on the hashing queue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact_ids: list[UUID] = Field(min_length=1, max_length=1000)


class LateHashes:
    """Hashes artifacts whose hash was left for later.

    Who registers one unhashed says in the same transaction whether its hash is wanted. From there
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
        self._queue = queue
        self._clock = clock

    def send_due(self) -> int:
        """Fill the queue up; answers with the number of messages. Raises a Retryable."""
        sent, room = 0, DEEPEST - self._queue.length()
        while sent < room:
            messages = self._send_some()
            if not messages:
                break
            sent += messages
        return sent

    def take(self, queue: str, body: bytes, origin: Origin) -> None:
        """Hash what a message names; what can never be hashed is set aside, each on its own.

        A Retryable is raised at the end: delivering all again changes nothing that is done.
        """

        def hash_one(artifact_id: UUID) -> list[str]:
            self._hash_or_forget(artifact_id, origin)
            return []

        def use(message: Message, document: object) -> None:
            wanted = _read(document).artifact_ids
            if len(wanted) == 1:
                hash_one(wanted[0])
            else:
                self._set_aside.use_each(message.source, wanted, hash_one, _alone)

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

    def _send_some(self) -> int:
        """Sent before it is committed that they were: a kill in between sends them twice."""
        now = self._clock()
        with self._database.connection() as connection, connection.transaction():
            due = BackfillRepository(connection).claim_unhashed(now, now + _AGAIN_AFTER, _CLAIMED)
            messages = list(_portions(due))
            for message in messages:
                self._queue.send(message.model_dump_json())
        return len(messages)

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


def _read(document: object) -> HashRequest:
    try:
        return HashRequest.model_validate(document)
    except ValidationError:
        raise MalformedMessage('Not a request to hash: {"artifact_ids": [...]}.') from None


def _alone(artifact_id: UUID) -> bytes:
    return HashRequest(artifact_ids=[artifact_id]).model_dump_json().encode()


def _portions(due: Iterable[UnhashedArtifact]) -> Iterator[HashRequest]:
    ids: list[ArtifactId] = []
    size_bytes = 0
    for artifact in due:
        if ids and (len(ids) == MOST_IDS or size_bytes + artifact.size_bytes > MOST_BYTES):
            yield HashRequest(artifact_ids=list(ids))
            ids, size_bytes = [], 0
        ids.append(artifact.artifact_id)
        size_bytes += artifact.size_bytes
    if ids:
        yield HashRequest(artifact_ids=list(ids))
