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
from shared.services.rules import RuleService
from shared.services.set_aside import SetAsideService
from shared.storage.accounts import Blobs
from shared.storage.table_sources import NO_TABLES, TableSources
from tests.integration.clock import TickingClock

QUEUE = "blob-events"
ORIGIN = Origin("test")


def over(
    store: Blobs,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    tables: TableSources = NO_TABLES,
) -> IngestionService:
    set_aside = SetAsideService(database, clock)
    rules = RuleService(database, clock)
    return IngestionService(database, artifacts, set_aside, store, rules, tables)


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
