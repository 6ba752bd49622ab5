"""What an app works on, seen from outside: its containers, its queues and its database."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any, LiteralString

import psycopg
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from tests.end_to_end.waiting import wait_for


class Ground:
    """Named as `RunningApp` names it. What it asks of the database needs no app."""

    def __init__(
        self, name: str, blobs: BlobServiceClient, queues: QueueServiceClient, database_url: str
    ) -> None:
        self.database_url = database_url
        self.account: str = blobs.account_name or ""
        self.uploads: ContainerClient = blobs.get_container_client(f"{name}-uploads")
        self.others: ContainerClient = blobs.get_container_client(f"{name}-others")
        """A container that no trigger watches: what is known of it, events have told."""
        self.events: QueueClient = queues.get_queue_client(f"{name}-events")
        self.messages: QueueClient = queues.get_queue_client(f"{name}-messages")
        self.hashing: QueueClient = queues.get_queue_client(f"{name}-hashing")
        self.actions: QueueClient = queues.get_queue_client(f"{name}-policies")
        self.poison: list[QueueClient] = [
            queues.get_queue_client(f"{queue}-poison")
            for queue in (self.events.queue_name, self.messages.queue_name)
        ]

    def make(self) -> None:
        """Make the containers and queues, as a deployment does."""
        for container in (self.uploads, self.others):
            container.create_container()
        for queue in self._queues:
            queue.create_queue()

    def put(self, name: str, content: bytes) -> None:
        """Write a blob that no trigger watches."""
        self.others.upload_blob(name, content, overwrite=True)

    def wait_until_drained(self) -> None:
        """Until no message is left, in work or not."""
        wait_for("empty queues", lambda: not self.waiting())

    def waiting(self) -> int:
        """Messages in all queues, those in work and those of dead workers as well."""
        return sum(map(_length, self._queues))

    @property
    def _queues(self) -> tuple[QueueClient, ...]:
        return (self.events, self.messages, self.hashing, self.actions)

    def poisoned(self, mark: str = "") -> int:
        """Messages that the host has given up, of the first 32 of each queue."""
        return sum(mark in body for queue in self.poison for body in _first_messages(queue))

    def rows(self, query: LiteralString | sql.Composed, *parameters: object) -> list[DictRow]:
        connect = psycopg.Connection[DictRow].connect
        with connect(self.database_url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query, parameters).fetchall()

    def revisions(self, container: ContainerClient) -> dict[str, list[int]]:
        """Every path that is registered in a container, with its revisions."""
        rows = self.rows(
            "SELECT blob_path, array_agg(revision ORDER BY revision) AS revisions"
            " FROM registry.artifacts WHERE container = %s GROUP BY blob_path",
            container.container_name,
        )
        return {row["blob_path"]: row["revisions"] for row in rows}

    def set_aside(self, mark: str) -> list[DictRow]:
        """The messages set aside whose body contains this."""
        return self.rows(
            "SELECT source, body, reason, explanation FROM registry.set_aside_messages"
            " WHERE position(%s::bytea IN body) > 0",
            mark.encode(),
        )


@contextmanager
def ground_of(name: str, connection_string: str, database_url: str) -> Generator[Ground]:
    """The ground of an app, on storage that others may share."""
    with ExitStack() as closing:
        blobs: Any = BlobServiceClient.from_connection_string(connection_string)
        queues: Any = QueueServiceClient.from_connection_string(connection_string)
        closing.enter_context(blobs)
        closing.enter_context(queues)
        yield Ground(name, blobs, queues, database_url)


def _length(queue: QueueClient) -> int:
    return queue.get_queue_properties().approximate_message_count or 0


def _first_messages(queue: QueueClient) -> list[str]:
    try:
        return [str(message.content) for message in queue.peek_messages(32)]
    except ResourceNotFoundError:
        return []
