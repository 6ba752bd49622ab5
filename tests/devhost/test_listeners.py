"""Every listener with a real function behind it, in a dev host of its own."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueClient

from devhost.host.storage import StorageConnections
from devhost.stack.azurite import Azurite
from tests.devhost.apps import RunningHost, running_host
from tests.devhost.listening import CONNECTION, eventually

APP = Path(__file__).parent / "listeners_app"


@pytest.fixture
def queues(connections: StorageConnections, unique_name: str) -> Iterator[dict[str, QueueClient]]:
    """The queues of the app by the names of their settings, and the poison of its input."""
    service = connections.queues()
    names = {"Work": unique_name, "Results": f"{unique_name}-results"}
    names["Poison"] = f"{unique_name}-poison"
    clients = {key: service.create_queue(name) for key, name in names.items()}
    yield clients
    for client in clients.values():
        client.delete_queue()


@pytest.fixture
def host(
    azurite: Azurite, queues: dict[str, QueueClient], storage_container: str, tmp_path: Path
) -> Iterator[RunningHost]:
    app = tmp_path / "app"
    shutil.copytree(APP, app, ignore=shutil.ignore_patterns("__pycache__"))
    values = {
        "AzureWebJobsStorage": azurite.connection_string,
        CONNECTION: azurite.connection_string,
        "AzureFunctionsWebHost__hostid": storage_container,
        "DEVHOST_BLOB_POLL_SECONDS": "0.1",
        "Uploads": storage_container,
        "Work": queues["Work"].queue_name,
        "Results": queues["Results"].queue_name,
    }
    settings = {"IsEncrypted": False, "Values": values}
    (app / "local.settings.json").write_text(json.dumps(settings))
    with running_host(app) as running:
        yield running


def test_each_trigger_reaches_its_function_with_genuine_inputs(
    host: RunningHost,
    connections: StorageConnections,
    queues: dict[str, QueueClient],
    storage_container: str,
) -> None:
    uploads = connections.blobs().get_container_client(storage_container)
    assert host.url
    uploads.upload_blob("a.txt", b"whole")
    uploads.upload_blob("b.bin", b"by reference")
    queues["Work"].send_message('{"id": "overlaid"}')
    results: list[dict[str, Any]] = []

    def all_arrived() -> bool:
        messages = queues["Results"].receive_messages(max_messages=32)
        results.extend(json.loads(message.content) for message in messages)
        return len(results) >= 4

    eventually(all_arrived)
    assert sorted(results, key=lambda result: result["function"]) == [
        {"function": "from_content", "name": f"{storage_container}/a.txt", "text": "whole"},
        {"function": "from_queue", "id": "overlaid", "count": 1},
        {"function": "from_reference", "name": "b.bin", "text": "by reference"},
        {"function": "from_timer", "past_due": False},
    ]


def test_what_a_function_raises_moves_its_message_to_poison(
    host: RunningHost, queues: dict[str, QueueClient]
) -> None:
    assert host.url
    queues["Work"].send_message("bad")
    eventually(lambda: list(queues["Poison"].peek_messages()))
    assert host.output.count("ValueError: bad") == 5
