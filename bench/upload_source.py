"""Blobs as uploaders write them, each followed by the notice that Event Grid would send."""

import base64
import json
import random
import time
import uuid
from dataclasses import dataclass
from threading import Semaphore

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

DEPTH = 16
"""Blobs under way at most: the emulator scans its queues, and would be what is measured."""
SMALLEST_BYTES, LARGEST_BYTES = 1024, 100 * 1024
PATIENCE_SECONDS = 120.0

_SEED = 20_26


@dataclass(frozen=True)
class Sent:
    """When a blob was there and when its notice was, in seconds since the epoch."""

    uploaded: float
    noticed: float


class UploadSource:
    """One uploader; waits while `DEPTH` of its blobs are not said to be done."""

    def __init__(self, connection_string: str, container: str, queue: str) -> None:
        self._blobs = BlobServiceClient.from_connection_string(connection_string)
        self._container = container
        self._queue = QueueClient.from_connection_string(connection_string, queue)
        self._slots = Semaphore(DEPTH)
        self._random = random.Random(_SEED)  # noqa: S311 - the same bytes at each run, no secret
        self.sent: dict[str, Sent] = {}

    def send(self, count: int, folder: str) -> None:
        """Upload blobs of random size; raises TimeoutError where those before are never done."""
        for number in range(count):
            if not self._slots.acquire(timeout=PATIENCE_SECONDS):
                raise TimeoutError(f"after {number} of {count} blobs")
            self._send(f"{folder}/{number:06}.bin")

    def done(self) -> None:
        """Say of one blob that it is through."""
        self._slots.release()

    def close(self) -> None:
        self._blobs.close()
        self._queue.close()

    def _send(self, path: str) -> None:
        content = self._random.randbytes(self._random.randint(SMALLEST_BYTES, LARGEST_BYTES))
        self._blobs.get_blob_client(self._container, path).upload_blob(content)
        uploaded = time.time()
        self._queue.send_message(self._notice(path))
        self.sent[path] = Sent(uploaded, time.time())

    def _notice(self, path: str) -> str:
        """The Event Grid schema's members that a subscriber may need, in base64, as it is sent."""
        event = {
            "topic": f"/subscriptions/0/resourceGroups/bench/providers/Microsoft.Storage"
            f"/storageAccounts/{self._blobs.account_name}",
            "subject": f"/blobServices/default/containers/{self._container}/blobs/{path}",
            "eventType": "Microsoft.Storage.BlobCreated",
            "id": str(uuid.uuid4()),
            "data": {"api": "PutBlob", "blobType": "BlockBlob"},
            "dataVersion": "",
            "metadataVersion": "1",
        }
        return base64.b64encode(json.dumps(event).encode()).decode()
