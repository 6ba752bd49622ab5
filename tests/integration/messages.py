"""Messages as they arrive, who takes them, and what became of them."""

import json
from typing import Any

import psycopg
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.models.blobs import BlobReference
from shared.models.registrations import Origin
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock

QUEUE = "blob-events"
ORIGIN = Origin("test")


def over(
    store: BlobStore, database: Database, artifacts: ArtifactService, clock: TickingClock
) -> IngestionService:
    return IngestionService(database, artifacts, SetAsideService(database, clock), store)


def event(blob: BlobReference, **changes: Any) -> bytes:
    published = {
        "topic": f"/subscriptions/0/providers/Microsoft.Storage/storageAccounts/{blob.account}",
        "subject": f"/blobServices/default/containers/{blob.container}/blobs/{blob.path}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "data": {"api": "PutBlob"},
    }
    return json.dumps(published | changes).encode()


def stored(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute("SELECT * FROM registry.artifact_records ORDER BY revision").fetchall()


def set_aside(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute("SELECT * FROM registry.set_aside_messages").fetchall()
