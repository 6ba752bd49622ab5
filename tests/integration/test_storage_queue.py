"""Whether the queue that events arrive on is there."""

import pytest
from azure.storage.queue import QueueClient

from devhost.stack.azurite import Azurite
from shared.errors import StorageUnavailable
from shared.storage.queues import StorageQueue


def test_a_queue_is_ready_once_it_is_there(azurite: Azurite, unique_name: str) -> None:
    queue = StorageQueue(azurite.connection_string, unique_name)
    with pytest.raises(StorageUnavailable, match="QueueNotFound"):
        queue.check()
    with QueueClient.from_connection_string(azurite.connection_string, unique_name) as client:
        client.create_queue()
    queue.check()


def test_a_queue_service_that_is_down_is_unavailable(
    own_azurite: Azurite, unique_name: str
) -> None:
    queue = StorageQueue(own_azurite.connection_string, unique_name)
    own_azurite.stop()
    with pytest.raises(StorageUnavailable):
        queue.check()
