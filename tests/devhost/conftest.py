"""What the tests of the dev host's listeners share."""

import uuid
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from devhost.host.storage import StorageConnections
from devhost.stack.azurite import Azurite
from tests.devhost.listening import connections_to
from tests.devhost.manual_clock import ManualClock
from tests.devhost.timer_listening import START


@pytest.fixture
def connections(azurite: Azurite) -> Iterator[StorageConnections]:
    """To the session's Azurite, by the names that the sample functions use."""
    opened = connections_to(azurite.connection_string)
    yield opened
    opened.close()


@pytest.fixture
def queue(azurite: Azurite, unique_name: str) -> Iterator[QueueClient]:
    """An empty queue of the test's own; its poison queue is cleared up too."""
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        made = service.create_queue(unique_name)
        yield made
        for listed in list(service.list_queues(name_starts_with=unique_name)):
            service.delete_queue(listed)


@pytest.fixture
def container(azurite: Azurite, storage_container: str) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service.get_container_client(storage_container)


@pytest.fixture
def host_id(connections: StorageConnections) -> Iterator[str]:
    """Of a host that never ran before."""
    name = uuid.uuid4().hex
    yield name
    queues = connections.queues()
    for listed in list(queues.list_queues(name_starts_with=f"azure-webjobs-blobtrigger-{name}")):
        queues.delete_queue(listed)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)
