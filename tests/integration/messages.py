"""Messages as they arrive, who takes them, and what became of them."""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.models.blobs import BlobReference
from shared.models.registrations import Origin
from shared.models.rules import RuleList
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.rules import RuleService
from shared.services.set_aside import SetAsideService
from shared.storage.accounts import Blobs
from shared.storage.queues import StorageQueue
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
    queues: Mapping[str, StorageQueue] | None = None,
) -> IngestionService:
    set_aside = SetAsideService(database, clock, queues)
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


def told(kind: str, blob: BlobReference, **data: Any) -> bytes:
    """The event that Azure Storage publishes when something became of a blob or a folder."""
    return event(blob, eventType=f"Microsoft.Storage.{kind}", data=data)


def renamed(source: BlobReference, blob: BlobReference, kind: str = "BlobRenamed") -> bytes:
    address = f"https://{source.account}.dfs.core.windows.net/{source.container}/"
    return told(kind, blob, sourceUrl=address + quote(source.path))


def deliver(ingestion: IngestionService, *bodies: bytes) -> int:
    """Take messages, and what they put on the queue, until none is left; how many these were."""
    queue = deque(bodies)
    taken = 0
    while queue:
        following = ingestion.take_blob_events(QUEUE, queue.popleft(), ORIGIN)
        queue.extend(message.encode() for message in following)
        taken += 1
    return taken


def operations(sql: psycopg.Connection[DictRow]) -> list[str]:
    """What the audit trail tells, in its order."""
    rows = sql.execute("SELECT operation FROM registry.outbox ORDER BY position").fetchall()
    return [row["operation"] for row in rows]


def apply_rules(database: Database, *rules: dict[str, Any]) -> None:
    """Put these rules in force, all of them."""
    wanted = RuleList.model_validate({"rules": rules})
    RuleService(database, TickingClock()).apply(wanted)


def stored(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute("SELECT * FROM registry.artifact_records ORDER BY revision").fetchall()


def set_aside(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute("SELECT * FROM registry.set_aside_messages").fetchall()
