"""What the tests of queue triggers share."""

from datetime import timedelta
from typing import Any

from azure.storage.queue import QueueClient

from devhost.host.host_config import QueuesConfig
from devhost.host.queues import QueueListener
from devhost.host.storage import StorageConnections
from tests.devhost.listening import Recording, function_with

PLAIN = QueuesConfig(message_encoding="none", max_polling_interval=timedelta(milliseconds=200))


def listener(
    queue: QueueClient,
    connections: StorageConnections,
    recording: Recording,
    options: QueuesConfig = PLAIN,
    **more: Any,
) -> QueueListener:
    properties = {"queueName": queue.queue_name, **more.pop("properties", {})}
    function = function_with("queueTrigger", **properties)
    return QueueListener(function, connections, recording, options, **more)


def poison_of(queue: QueueClient, connections: StorageConnections) -> QueueClient:
    return connections.queues().get_queue_client(f"{queue.queue_name}-poison")


def depth(queue: QueueClient) -> int:
    return queue.get_queue_properties().approximate_message_count or 0


def exists(queue: QueueClient, connections: StorageConnections) -> bool:
    return queue.queue_name in {listed.name for listed in connections.queues().list_queues()}
