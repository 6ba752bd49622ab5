"""Runs queue-triggered functions."""

import asyncio
import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any

from azure.storage.queue import QueueMessage

from devhost.host.host_config import QueuesConfig
from devhost.host.model import FunctionSpec, Invoker, TriggerInput
from devhost.host.pauses import DRAIN
from devhost.host.queue_pump import VISIBILITY, QueuePump, UnreadableMessage
from devhost.host.storage import StorageConnections

POISON_SUFFIX = "-poison"


class QueueListener:
    """Listens to the queue of one function with a `queueTrigger`."""

    def __init__(
        self,
        function: FunctionSpec,
        connections: StorageConnections,
        invoker: Invoker,
        options: QueuesConfig,
        *,
        visibility: timedelta = VISIBILITY,
        drain: timedelta = DRAIN,
    ) -> None:
        """Raises `ConnectionNotUsable`."""
        self._function = function
        self._invoker = invoker
        self._is_base64 = options.message_encoding == "base64"
        self._takes_bytes = _takes_bytes(function)
        name = str(function.trigger.properties["queueName"])
        service = connections.queues(str(function.trigger.properties.get("connection", "")))
        poison = f"{name}{POISON_SUFFIX}"
        self._pump = QueuePump(
            service.get_queue_client(name),
            None if name.endswith(POISON_SUFFIX) else service.get_queue_client(poison),
            options,
            self._run_message,
            visibility=visibility,
            drain=drain,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Run the function for every message until `stopping` is set."""
        await self._pump.run(stopping)

    async def _run_message(self, message: QueueMessage) -> bool:
        trigger = self._trigger_input(message)
        result = await self._invoker.invoke(self._function, trigger)
        return result.succeeded

    def _trigger_input(self, message: QueueMessage) -> TriggerInput:
        body = self._body(message)
        if self._takes_bytes:
            return TriggerInput("bytes", body, _message_metadata(message))
        text = body.decode()
        metadata = _message_metadata(message) | {"QueueTrigger": text}
        return TriggerInput("string", text, overlay(metadata, text))

    def _body(self, message: QueueMessage) -> bytes:
        content = str(message.content)
        if not self._is_base64:
            return content.encode()
        try:
            return base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError) as fault:
            raise UnreadableMessage("The body is not base64, as messageEncoding says.") from fault


def overlay(metadata: dict[str, Any], body: str) -> dict[str, Any]:
    """The metadata with the top-level members of a JSON object laid over it.

    Names match without case, and the first spelling stays. Scalars become text; arrays and nulls
    are left out. So does `Utility.ApplyBindingData` of the Functions host, and therefore an `id`
    in the body replaces the id of the message.
    """
    try:
        members = json.loads(body)
    except ValueError:
        return metadata
    if not isinstance(members, dict):
        return metadata
    laid = dict(metadata)
    spelling = {name.lower(): name for name in metadata}
    for name, value in members.items():  # pyright: ignore[reportUnknownVariableType] - any JSON
        if value is None or isinstance(value, list):
            continue
        known = spelling.setdefault(str(name).lower(), str(name))  # pyright: ignore[reportUnknownArgumentType] - JSON
        laid[known] = value if isinstance(value, dict) else str(value)  # pyright: ignore[reportUnknownArgumentType] - JSON
    return laid


def _message_metadata(message: QueueMessage) -> dict[str, Any]:
    return {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "PopReceipt": message.pop_receipt,
        "ExpirationTime": _timestamp(message.expires_on),
        "InsertionTime": _timestamp(message.inserted_on),
        "NextVisibleTime": _timestamp(message.next_visible_on),
    }


def _timestamp(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _takes_bytes(function: FunctionSpec) -> bool:
    return str(function.trigger.properties.get("dataType", "")).lower() == "binary"
