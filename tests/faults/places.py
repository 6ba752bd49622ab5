"""Where a worker works: all that another process must be told to join in."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from azure.storage.queue import QueueClient

from shared.database.pool import Database
from shared.models.blobs import BlobReference
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.storage.blobs import BlobStore
from tests.end_to_end.waiting import wait_for
from tests.integration.clock import TickingClock
from tests.integration.messages import event, over

POOL_SIZE = 8
"""Connections of one worker, as `REGISTRY_DATABASE_POOL_SIZE` has it by default."""

DRAINED_SECONDS = 1800
"""Longer than pytest lets any test take but the long ones."""


@dataclass(frozen=True)
class Place:
    """A migrated database, a storage account, and the name of a queue in it."""

    database_url: str
    connection_string: str
    name: str

    def queue(self) -> QueueClient:
        """The queue of blob events."""
        return QueueClient.from_connection_string(self.connection_string, self.name)

    def poison(self) -> QueueClient:
        """Where the host moves what it gives up; made by the first such message."""
        return QueueClient.from_connection_string(self.connection_string, f"{self.name}-poison")

    @contextmanager
    def ingestion(self, store: BlobStore | None = None) -> Generator[IngestionService]:
        """The service as one worker has it, with a pool of its own, over the account or `store`."""
        clock = TickingClock()
        database = Database(self.database_url, size=POOL_SIZE, timeout_seconds=10)
        artifacts = ArtifactService(database, clock)
        try:
            yield over(store or BlobStore(self.connection_string), database, artifacts, clock)
        finally:
            database.close()

    def announce(self, queue: QueueClient, blob: BlobReference) -> None:
        """Send the event that the store sends of a written blob."""
        queue.send_message(event(blob).decode())

    def wait_until_drained(self, queue: QueueClient) -> None:
        """Until no message is left, in work or not."""
        wait_for("an empty queue", lambda: waiting(queue) == 0, DRAINED_SECONDS)


def waiting(queue: QueueClient) -> int:
    """Messages in the queue, those in somebody's hands among them."""
    return queue.get_queue_properties().approximate_message_count or 0
