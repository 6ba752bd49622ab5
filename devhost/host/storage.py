"""Storage connections: from the name in a binding to the clients of the Azure SDK."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.blob import LinearRetry as BlobRetry
from azure.storage.queue import LinearRetry as QueueRetry
from azure.storage.queue import QueueClient, QueueServiceClient

from devhost.host.errors import FunctionLoadError

HOST_CONNECTION = "AzureWebJobsStorage"
HOST_CONTAINER = "azure-webjobs-hosts"
"""Where the host keeps its own state: receipts, timer status, locks."""

# The listeners are loops that back off by themselves: a client that waited the SDK's default
# of a minute would only hide an outage from them and hold up a stop.
RETRIES = 2
RETRY_SECONDS = 1
CONNECT_SECONDS = 5

MESSAGE_LIFETIME = timedelta(days=7)
"""The service's own default."""


class ConnectionNotUsable(FunctionLoadError):
    """A storage connection is missing, or of a kind that works on Azure only."""


class StorageConnections:
    """Service clients by connection name, one for each name, safe to share between threads.

    A name is looked up as the host does: first with the prefix `AzureWebJobs`, then as it is;
    a binding without one means `AzureWebJobsStorage`. A value is a connection string, or
    `UseDevelopmentStorage=true`.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._blobs: dict[str, BlobServiceClient] = {}
        self._queues: dict[str, QueueServiceClient] = {}

    def connection_string(self, name: str) -> str:
        """Raises `ConnectionNotUsable` with what to set."""
        name = name or HOST_CONNECTION
        for key in (f"AzureWebJobs{name}", name):
            if self._settings.get(key):
                return self._settings[key]
        identity_based = sorted(key for key in self._settings if key.startswith(f"{name}__"))
        if identity_based:
            raise ConnectionNotUsable(
                f"The storage connection {name!r} is identity-based ({', '.join(identity_based)}), "
                f"which the dev host does not support: set {name} to a connection string."
            )
        raise ConnectionNotUsable(
            f"The storage connection {name!r} is not set: add {name} to the app settings, "
            "for example with the value UseDevelopmentStorage=true."
        )

    def blobs(self, name: str = HOST_CONNECTION) -> BlobServiceClient:
        """Raises `ConnectionNotUsable`."""
        if name not in self._blobs:
            with _explained(name):
                self._blobs[name] = BlobServiceClient.from_connection_string(
                    self.connection_string(name),
                    retry_policy=BlobRetry(RETRY_SECONDS, RETRIES, random_jitter_range=0),
                    connection_timeout=CONNECT_SECONDS,
                )
        return self._blobs[name]

    def queues(self, name: str = HOST_CONNECTION) -> QueueServiceClient:
        """Raises `ConnectionNotUsable`. The clients neither encode nor decode messages."""
        if name not in self._queues:
            with _explained(name):
                self._queues[name] = QueueServiceClient.from_connection_string(
                    self.connection_string(name),
                    retry_policy=QueueRetry(RETRY_SECONDS, RETRIES, random_jitter_range=0),
                    connection_timeout=CONNECT_SECONDS,
                )
        return self._queues[name]

    def close(self) -> None:
        """Close every connection that was opened."""
        for client in (*self._blobs.values(), *self._queues.values()):
            client.close()
        self._blobs.clear()
        self._queues.clear()


@contextmanager
def _explained(name: str) -> Generator[None]:
    """The SDK does not say which setting it could not read, and we must not show its value."""
    try:
        yield
    except ValueError as fault:
        raise ConnectionNotUsable(
            f"The value of the storage connection {name!r} is not a connection string."
        ) from fault


def send_message(queue: QueueClient, body: str, lifetime: timedelta = MESSAGE_LIFETIME) -> None:
    """Send, after making the queue when it is missing."""
    seconds = int(lifetime.total_seconds())
    try:
        queue.send_message(body, time_to_live=seconds)
    except ResourceNotFoundError:
        create_queue(queue)
        queue.send_message(body, time_to_live=seconds)


def create_queue(queue: QueueClient) -> None:
    """Make the queue; no fault when it exists by now."""
    try:
        queue.create_queue()
    except ResourceExistsError:
        return
