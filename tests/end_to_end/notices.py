"""Notices that a blob was written, as Azure publishes them to a storage queue."""

import base64
import json
from typing import Any

_TOPIC = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/"


def event_grid(account: str, container: str, path: str) -> dict[str, Any]:
    """The Event Grid schema."""
    return {
        "topic": _TOPIC + account,
        "subject": _subject(container, path),
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": "2026-01-01T00:00:00.0000000Z",
        "id": "831e1650-001e-001b-66ab-eeb76e069631",
        "data": _data(account, container, path),
        "dataVersion": "",
        "metadataVersion": "1",
    }


def cloud_event(account: str, container: str, path: str) -> dict[str, Any]:
    """CloudEvents 1.0."""
    return {
        "specversion": "1.0",
        "source": _TOPIC + account,
        "subject": _subject(container, path),
        "type": "Microsoft.Storage.BlobCreated",
        "time": "2026-01-01T00:00:00.0000000Z",
        "id": "9aeb0fdf-c01e-0131-0922-9eb54906e209",
        "data": _data(account, container, path),
    }


def plain(event: object) -> str:
    return json.dumps(event)


def encoded(event: object) -> str:
    return base64.b64encode(plain(event).encode()).decode()


def _subject(container: str, path: str) -> str:
    return f"/blobServices/default/containers/{container}/blobs/{path}"


def _data(account: str, container: str, path: str) -> dict[str, Any]:
    return {
        "api": "PutBlob",
        "clientRequestId": "6d79dbfb-0e37-4fc4-981f-442c9ca65760",
        "requestId": "831e1650-001e-001b-66ab-eeb76e000000",
        "eTag": '"0x8D4BCC2E4835CD0"',
        "contentType": "application/octet-stream",
        "contentLength": 3,
        "blobType": "BlockBlob",
        "url": f"https://{account}.blob.core.windows.net/{container}/{path}",
        "sequencer": "00000000000004420000000000028963",
        "storageDiagnostics": {"batchId": "b68529f3-68cd-4744-baa4-3c0498ec19f0"},
    }
