"""The parts that run policies, over a real database, a real store and a real queue."""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from azure.storage.queue import QueueClient
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import Retryable
from shared.models.artifacts import Artifact
from shared.models.holds import Hold, HoldRequest
from shared.models.policies import Policy
from shared.models.policy_runs import PolicyRun
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.services.artifact_service import ArtifactService
from shared.services.enforcement import Enforcement
from shared.services.holds import HoldService
from shared.services.policies import PolicyService
from shared.services.policy_actions import PolicyActions
from shared.services.policy_runs import PolicyRunService
from shared.services.retirement import RetirementService
from shared.services.set_aside import SetAsideService
from shared.storage.accounts import Blobs
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.integration.clock import TickingClock
from tests.integration.messages import over
from tests.integration.registering import hash_of
from tests.integration.uploads import Uploads

DAY = timedelta(days=1)
ORIGIN = Origin("test")
QUEUE = "policy-actions"
COOL: dict[str, Any] = {
    "name": "cool-old",
    "kind": "archive",
    "target_tier": "Cool",
    "clock": "superseded",
    "age": "P30D",
}
DELETE: dict[str, Any] = {
    "name": "delete-old",
    "kind": "delete",
    "clock": "superseded",
    "age": "P30D",
}
PURGE: dict[str, Any] = {
    "name": "purge-deleted-now",
    "kind": "purge",
    "clock": "deleted",
    "age": "P90D",
}
EXPIRE: dict[str, Any] = {"name": "expire", "kind": "expire", "clock": "expires", "age": "PT0S"}


@dataclass(frozen=True)
class Policing:
    """Blobs of one container, and policies that act on them."""

    clock: TickingClock
    uploads: Uploads
    database: Database
    sql: psycopg.Connection[DictRow]
    artifacts: ArtifactService
    holds: HoldService
    retirement: RetirementService
    policies: PolicyService
    actions: PolicyActions
    runs: PolicyRunService
    queue: QueueClient

    def enforce(self, base: Mapping[str, Any], **changed: Any) -> str:
        """Have a policy in force; answers with its name."""
        policy = Policy.model_validate({**base, **changed})
        self.policies.put(policy, UNATTRIBUTED)
        return policy.name

    def upload(self, name: str, content: bytes, asset: str = "asset", **fields: Any) -> Artifact:
        """Write a blob and register it as the next revision of an asset."""
        blob = self.uploads.put(name, content)
        written = self.uploads.container.get_blob_client(name).get_blob_properties()
        return self.artifacts.create_artifact(
            client_type="ddh",
            client_refs={"name": asset},
            overwrite=True,
            storage_account=blob.account,
            container=blob.container,
            blob_path=blob.path,
            blob_etag=str(written.etag).strip('"'),
            content_hash=hash_of(content.decode()),
            size_bytes=len(content),
            **fields,
        )

    def hold(self, artifact: Artifact) -> Hold:
        wanted = {"artifact_id": artifact.artifact_id, "reason": "litigation 7"}
        return self.holds.place(HoldRequest.model_validate(wanted), UNATTRIBUTED)

    def sent(self) -> list[bytes]:
        """What messages say; they are taken off the queue."""
        found = list(self.queue.receive_messages(max_messages=32))
        for message in found:
            self.queue.delete_message(message)
        return [str(message.content).encode() for message in found]

    def work(self) -> None:
        """What the tick and the queue's function do until nothing is left to do."""
        while self.runs.advance():
            for body in self.sent():
                self.actions.take(QUEUE, body, ORIGIN)

    def take_all(self) -> None:
        """Deliver what was sent once; what passes is for a later delivery."""
        for body in self.sent():
            with suppress(Retryable):
                self.actions.take(QUEUE, body, ORIGIN)

    def run_scheduled(self) -> None:
        self.runs.start_due()
        self.work()

    def latest(self, name: str | None = None) -> PolicyRun:
        return self.runs.list_runs(name, limit=1).runs[0]

    def state(self, artifact: Artifact) -> str:
        return self.artifacts.get_by_id(artifact.artifact_id).disposition

    def tier(self, name: str) -> str | None:
        properties = self.uploads.container.get_blob_client(name).get_blob_properties()
        return properties.blob_tier

    def is_there(self, name: str) -> bool:
        return self.uploads.container.get_blob_client(name).exists()

    def events(self, operation: str, *, success: bool = True) -> list[DictRow]:
        query = "SELECT * FROM registry.outbox WHERE operation = %s AND success = %s"
        return self.sql.execute(f"{query} ORDER BY position", [operation, success]).fetchall()

    def claims(self) -> list[UUID]:
        found = self.sql.execute("SELECT artifact_id FROM registry.policy_actions").fetchall()
        return [row["artifact_id"] for row in found]

    def ask(self, *artifacts: Artifact) -> None:
        """Deliver a message about these, whoever has sent it."""
        ids = [str(each.artifact_id) for each in artifacts]
        self.actions.take(QUEUE, json.dumps({"artifact_ids": ids}).encode(), ORIGIN)


def policing_of(
    store: Blobs,
    connection_string: str,
    queue_name: str,
    database: Database,
    clock: TickingClock,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> Policing:
    """Policing by the policies that are in force, with a queue that is there."""
    artifacts = ArtifactService(database, clock)
    set_aside = SetAsideService(database, clock)
    retirement = RetirementService(database, store, clock)
    policies = PolicyService(database, clock)
    ingestion = over(store, database, artifacts, clock)
    queue = StorageQueue(connection_string, queue_name)
    enforcement = Enforcement.of(database, policies, retirement, ingestion, set_aside, queue, clock)
    return Policing(
        clock,
        uploads,
        database,
        sql,
        artifacts,
        HoldService(database, clock),
        retirement,
        policies,
        enforcement.actions,
        enforcement.runs,
        QueueClient.from_connection_string(connection_string, queue_name),
    )


@contextmanager
def policing_over(
    store: Blobs,
    connection_string: str,
    queue_name: str,
    database: Database,
    clock: TickingClock,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> Generator[Policing]:
    """Policing with a queue of its own; whatever policies there were are out of force."""
    made = policing_of(store, connection_string, queue_name, database, clock, uploads, sql)
    for policy in made.policies.read().policies:
        made.policies.remove(policy.name)
    with made.queue as queue:
        queue.create_queue()
        yield made
        queue.delete_queue()


@pytest.fixture
def policing(
    azurite: Azurite,
    unique_name: str,
    database: Database,
    clock: TickingClock,
    uploads: Uploads,
    sql: psycopg.Connection[DictRow],
) -> Iterator[Policing]:
    """Over the real store."""
    store, connection_string = BlobStore(azurite.connection_string), azurite.connection_string
    with policing_over(
        store, connection_string, unique_name, database, clock, uploads, sql
    ) as policing:
        yield policing
