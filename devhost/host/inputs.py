"""From what a trigger hands over to the argument that the function receives."""

from collections.abc import Mapping
from typing import Any

from azure.functions.meta import Datum
from azurefunctions.extensions import base as sdk_types
from pydantic_core import to_json

from devhost.host.converters import converter, is_sdk_type
from devhost.host.model import FunctionSpec, TriggerInput


def trigger_argument(function: FunctionSpec, trigger: TriggerInput) -> Any:
    """A genuine object of the library, or of the Azure SDK. Raises what its converter raises."""
    annotation = function.argument_types[function.trigger.name]
    found: Any = converter(function.trigger.type, annotation)
    metadata = _encode_metadata(trigger.metadata)
    if not is_sdk_type(annotation):
        return found.decode(Datum(trigger.value, trigger.kind), trigger_metadata=metadata)
    reference = sdk_types.Datum(trigger.value, trigger.kind)
    return found.decode(reference, trigger_metadata=metadata, pytype=annotation)


def _encode_metadata(metadata: Mapping[str, Any]) -> dict[str, Datum]:
    return {name: Datum(to_json(value).decode(), "json") for name, value in metadata.items()}
