"""From a message to registered artifacts, whatever arrives."""

import json
from collections.abc import Callable
from uuid import UUID

from pydantic import JsonValue

from shared.database.pool import Database
from shared.errors import MalformedMessage, RegistryError, Retryable
from shared.models.artifacts import ArtifactRegistration
from shared.models.blob_events import events_in, message_document, read_blob_event
from shared.models.blobs import BlobReference
from shared.models.registrations import Origin, Registration
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion_blobs import BlobRegistrations, BlobToRegister
from shared.services.ingestion_registrations import SentRegistrations, read_registration
from shared.services.ingestion_replays import replay_in
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore


class IngestionService:
    """Takes messages as they come: repeated, late, out of order, or wrong.

    A message that can never succeed is set aside with its reason. One that may succeed later is
    left to a later delivery, by raising a Retryable.
    """

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactService,
        set_aside: SetAsideService,
        store: BlobStore,
    ) -> None:
        self._set_aside = set_aside
        self._blobs = BlobRegistrations(database, artifacts, store)
        self._sent = SentRegistrations(artifacts, self._blobs, store)

    def take_blob_events(self, queue: str, body: bytes, origin: Origin) -> None:
        """Follow every event of a message, each on its own.

        A Retryable is raised at the end: delivering all again changes nothing that is done.
        """

        def take(document: object) -> None:
            self._take_events(queue, document, body, origin)

        self._take(queue, body, take)

    def take_registration(
        self, queue: str, body: bytes, origin: Origin, artifact_id: UUID | None = None
    ) -> None:
        """Register what a message says: the body of `POST /api/v1/artifacts`.

        `artifact_id` is the message's own, the same at each of its deliveries: a late one changes
        nothing.
        """

        def take(document: object) -> None:
            self._sent.register(read_registration(document), origin, artifact_id)

        self._take(queue, body, take)

    def register_blob(self, blob: BlobReference, origin: Origin) -> Registration:
        """Register what the store holds under a name now; the blob itself is the asset.

        Raises BlobNotFound, BlobUnreadable or StorageAccountNotAllowed, and Retryable faults.
        """
        refs: dict[str, JsonValue] = {
            "account": blob.account,
            "container": blob.container,
            "path": blob.path,
        }
        asset = ArtifactRegistration(client_type="blob", client_refs=refs, overwrite=True)
        return self._blobs.register(BlobToRegister(asset, blob, origin, once_per_state=True))

    def _take(self, queue: str, body: bytes, take: Callable[[object], None]) -> None:
        try:
            document = message_document(body)
            set_aside_id = replay_in(document)
            if set_aside_id is None:
                take(document)
            else:
                self._replay(queue, set_aside_id)
        except Retryable:
            raise
        except RegistryError as fault:
            self._set_aside.set_aside(queue, body, fault)

    def _replay(self, queue: str, set_aside_id: UUID) -> None:
        """Take a message that was set aside as if it came from its queue once more."""
        raise MalformedMessage(f"Nothing replays {set_aside_id} from {queue} yet.")

    def _take_events(self, queue: str, document: object, body: bytes, origin: Origin) -> None:
        events = events_in(document)
        passing: list[Retryable] = []
        for event in events:
            try:
                self._take_event(event, origin)
            except Retryable as fault:
                passing.append(fault)
            except RegistryError as fault:
                alone = body if len(events) == 1 else json.dumps(event).encode()
                self._set_aside.set_aside(queue, alone, fault)
        if passing:
            raise passing[0]

    def _take_event(self, event: object, origin: Origin) -> None:
        blob = read_blob_event(event)
        if blob is not None:
            self.register_blob(blob, origin)
