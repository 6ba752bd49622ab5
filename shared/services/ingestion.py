"""From a message to registered artifacts, whatever arrives."""

import json
from uuid import UUID

from pydantic import JsonValue

from shared.database.pool import Database
from shared.errors import RegistryError, Retryable
from shared.models.artifacts import ArtifactRegistration
from shared.models.blob_events import events_in, read_blob_event
from shared.models.blobs import BlobReference
from shared.models.registrations import Origin, Registration
from shared.models.set_aside import Message
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion_blobs import BlobRegistrations, BlobToRegister
from shared.services.ingestion_registrations import SentRegistrations, read_registration
from shared.services.ingestion_tables import TableRegistrations
from shared.services.set_aside import SetAsideService
from shared.storage.accounts import Blobs
from shared.storage.table_sources import NO_TABLES, TableSources


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
        store: Blobs,
        tables: TableSources = NO_TABLES,
    ) -> None:
        self._set_aside = set_aside
        self._blobs = BlobRegistrations(database, artifacts, store)
        read = TableRegistrations(database, artifacts, tables)
        self._sent = SentRegistrations(artifacts, self._blobs, read, store)

    def take_blob_events(self, queue: str, body: bytes, origin: Origin) -> None:
        """Follow every event of a message, each on its own.

        A Retryable is raised at the end: delivering all again changes nothing that is done.
        """

        def use(message: Message, document: object) -> None:
            self._follow_events(message, document, origin)

        self._set_aside.take(Message(queue, body), origin, use)

    def take_registration(
        self, queue: str, body: bytes, origin: Origin, artifact_id: UUID | None = None
    ) -> None:
        """Register what a message says: the body of `POST /api/v1/artifacts`.

        `artifact_id` is the message's own, the same at each of its deliveries: a late one changes
        nothing.
        """

        def use(message: Message, document: object) -> None:
            self._sent.register(read_registration(document), origin, message.delivery_id)

        self._set_aside.take(Message(queue, body, artifact_id), origin, use)

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

    def _follow_events(self, message: Message, document: object, origin: Origin) -> None:
        events = events_in(document)
        if len(events) == 1:
            self._take_event(events[0], origin)
            return
        passing: list[Retryable] = []
        for event in events:
            try:
                self._take_event(event, origin)
            except Retryable as fault:
                passing.append(fault)
            except RegistryError as fault:
                alone = Message(message.source, json.dumps(event).encode())
                self._set_aside.set_aside(alone, fault)
        if passing:
            raise passing[0]

    def _take_event(self, event: object, origin: Origin) -> None:
        blob = read_blob_event(event)
        if blob is not None:
            self.register_blob(blob, origin)
