"""From a message to registered artifacts, whatever arrives."""

import json
from typing import assert_never
from uuid import UUID

from shared.database.pool import Database
from shared.errors import RegistryError, Retryable
from shared.models.blob_events import events_in, read_blob_event
from shared.models.blob_notices import (
    BlobCreated,
    BlobDeleted,
    BlobRenamed,
    BlobTierChanged,
    FolderDeleted,
    FolderRenamed,
)
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Origin, Registration
from shared.models.set_aside import Message
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion_blobs import BlobRegistrations
from shared.services.ingestion_folders import Folders
from shared.services.ingestion_looks import LocationLooks
from shared.services.ingestion_registrations import SentRegistrations, read_registration
from shared.services.ingestion_tables import TableRegistrations
from shared.services.ingestion_uploads import Uploads
from shared.services.rules import RuleService
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
        rules: RuleService,
        tables: TableSources = NO_TABLES,
    ) -> None:
        self._set_aside = set_aside
        self._looks = LocationLooks(artifacts, store, rules)
        self._folders = Folders(artifacts, store)
        blobs = BlobRegistrations(database, artifacts, store, self._looks)
        self._uploads = Uploads(rules, store, blobs, self._looks)
        read = TableRegistrations(artifacts, tables)
        self._sent = SentRegistrations(artifacts, blobs, read, store)

    def take_blob_events(self, queue: str, body: bytes, origin: Origin) -> list[str]:
        """Follow every event of a message, each on its own; answers with messages for the queue.

        These are what is left to do of an event about many blobs. A Retryable is raised at the end:
        delivering all again changes nothing that is done.
        """

        def use(message: Message, document: object) -> list[str]:
            return self._follow_events(message, document, origin)

        return self._set_aside.take(Message(queue, body), origin, use)

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
        """Register what the store holds under a name now, as what the rules say it is.

        Raises what `Uploads.register` raises.
        """
        return self._uploads.register(blob, origin)

    def look_at_blob(self, blob: BlobReference, origin: Origin) -> BlobProperties | None:
        """Tell artifacts that point at a blob whether it is there, and in which tier.

        Raises what `LocationLooks.look` raises.
        """
        return self._looks.look(blob, origin)

    def _follow_events(self, message: Message, document: object, origin: Origin) -> list[str]:
        events = events_in(document)
        if len(events) == 1:
            return self._take_event(events[0], origin)

        def follow(event: object) -> list[str]:
            return self._take_event(event, origin)

        return self._set_aside.use_each(message.source, events, follow, _alone, origin)

    def _take_event(self, event: object, origin: Origin) -> list[str]:
        match read_blob_event(event):
            case None:
                return []
            case FolderDeleted() as folder:
                return self._folders.in_deleted(folder)
            case FolderRenamed() as folder:
                return self._folders.in_renamed(folder)
            case notice:
                self._take_notice(notice, origin)
                return []

    def _take_notice(
        self, notice: BlobCreated | BlobDeleted | BlobTierChanged | BlobRenamed, origin: Origin
    ) -> None:
        match notice:
            case BlobCreated():
                self._uploads.register(notice.blob, origin)
            case BlobDeleted():
                self._register_if_there(notice.blob, origin)
            case BlobTierChanged():
                self._looks.look(notice.blob, origin)
            case BlobRenamed():
                self._follow_rename(notice, origin)
            case _:
                assert_never(notice)

    def _follow_rename(self, notice: BlobRenamed, origin: Origin) -> None:
        try:
            self._uploads.register(notice.blob, origin, is_renamed=True)
        except Retryable:
            raise
        except RegistryError:
            self._register_if_there(notice.source, origin)
            raise
        self._register_if_there(notice.source, origin)

    def _register_if_there(self, blob: BlobReference, origin: Origin) -> None:
        if self._looks.look(blob, origin) is not None:
            self._uploads.register(blob, origin)


def _alone(event: object) -> bytes:
    return json.dumps(event).encode()
