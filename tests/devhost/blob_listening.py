"""What the tests of blob triggers share."""

import json
from datetime import timedelta
from typing import Any

from azure.storage.blob import BlobClient, ContainerClient

from devhost.host.blob_receipts import BlobVersion
from devhost.host.blobs import POISON_QUEUE, BlobListener, BlobTarget
from devhost.host.host_config import QueuesConfig
from devhost.host.model import FunctionSpec
from devhost.host.storage import StorageConnections
from tests.devhost.listening import Recording, function_with

OPTIONS = QueuesConfig(max_polling_interval=timedelta(milliseconds=200))


def listener(
    connections: StorageConnections, recording: Recording, host_id: str, *functions: FunctionSpec
) -> BlobListener:
    targets = [BlobTarget.of(function, connections) for function in functions]
    return BlobListener(targets, connections, recording, OPTIONS, host_id, poll_seconds=0.1)


def blob_function(container: ContainerClient, names: str = "{name}", **more: Any) -> FunctionSpec:
    return function_with("blobTrigger", path=f"{container.container_name}/{names}", **more)


def names(recording: Recording) -> list[str]:
    """The names of the blobs that were run, without their container."""
    paths = [run.trigger.metadata["BlobTrigger"] for run in recording.runs]
    return [path.partition("/")[2] for path in paths]


def version_of(blob: BlobClient) -> BlobVersion:
    etag = blob.get_blob_properties().etag.strip('"')
    return BlobVersion(blob.container_name, blob.blob_name, etag)


def poisoned(connections: StorageConnections, container: ContainerClient) -> list[str]:
    """The names in this container among all the host's poison, which other tests add to."""
    queues = connections.queues()
    if POISON_QUEUE not in {listed.name for listed in queues.list_queues()}:
        return []
    messages = queues.get_queue_client(POISON_QUEUE).peek_messages(32)
    notices = [json.loads(message.content) for message in messages]
    ours = (notice for notice in notices if notice["ContainerName"] == container.container_name)
    return [notice["BlobName"] for notice in ours]
