"""Output bindings: what a function set or returned, encoded by the library, and sent to queues."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import azure.functions as func
from azure.functions.meta import Datum

from devhost.host.converters import Converter, converter, result_converter
from devhost.host.host_config import QueuesConfig
from devhost.host.model import Binding, FunctionSpec
from devhost.host.signature import RETURN, out_type
from devhost.host.storage import StorageConnections, send_message

T = TypeVar("T")


class Out(func.Out[T], Generic[T]):
    """What a function sets an output with."""

    def __init__(self) -> None:
        self._value: T | None = None

    def set(self, val: T) -> None:
        self._value = val

    def get(self) -> T:
        """What was set; None when nothing was."""
        return cast("T", self._value)


@dataclass(frozen=True)
class Output:
    """The encoded value of one output binding."""

    binding: Binding
    datum: Datum


def out_arguments(function: FunctionSpec) -> dict[str, Out[Any]]:
    """An empty `Out` for every output binding that is an argument."""
    return {binding.name: Out[Any]() for binding in function.outputs if binding.name != RETURN}


def encode_outputs(
    function: FunctionSpec, arguments: Mapping[str, Any], returned: Any
) -> list[Output]:
    """What the run put out; an `Out` that was not set puts out nothing.

    Raises `TypeError` for a value that its binding cannot carry, None as a return value included,
    and for a return value that no binding takes.
    """
    outputs: list[Output] = []
    for binding in function.outputs:
        if binding.name == RETURN:
            outputs.append(_encode(binding, result_converter(binding.type), returned))
        elif (value := arguments[binding.name].get()) is not None:
            annotation = out_type(function.argument_types[binding.name])
            outputs.append(_encode(binding, converter(binding.type, annotation), value))
    if returned is not None and all(binding.name != RETURN for binding in function.outputs):
        raise TypeError(f"{function.name} has no $return binding, but returned a value")
    return outputs


def _encode(binding: Binding, found: Converter, value: Any) -> Output:
    try:
        return Output(binding, found.encode(value, expected_type=None))
    except NotImplementedError as fault:
        raise TypeError(f"{type(value).__name__} does not fit the output {binding.type}") from fault


class QueueSender:
    """Sends queue outputs as the host does; a queue that is missing is created."""

    def __init__(self, connections: StorageConnections, options: QueuesConfig) -> None:
        self._connections = connections
        self._is_base64 = options.message_encoding == "base64"

    def send(self, output: Output) -> None:
        """Raises `ConnectionNotUsable` and what the Azure SDK raises."""
        properties = output.binding.properties
        service = self._connections.queues(str(properties.get("connection", "")))
        queue = service.get_queue_client(str(properties["queueName"]))
        for message in messages(output.datum):
            text = base64.b64encode(message).decode() if self._is_base64 else message.decode()
            send_message(queue, text)


def messages(datum: Datum) -> list[bytes]:
    """The queue messages that an output means: a JSON array, even as a text, is one an element."""
    if datum.type == "bytes":
        return [datum.value]
    text = str(datum.value)
    try:
        parsed: Any = json.loads(text)
    except ValueError:
        return [text.encode()]
    if not isinstance(parsed, list):
        return [text.encode()]
    elements = cast("list[Any]", parsed)
    return [(item if isinstance(item, str) else json.dumps(item)).encode() for item in elements]
