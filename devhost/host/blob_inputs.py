"""What a blob-triggered function receives."""

import json
from collections.abc import Mapping
from typing import Any

from azure.core import MatchConditions
from azure.storage.blob import BlobClient, BlobProperties

from devhost.host.converters import is_sdk_type
from devhost.host.model import FunctionSpec, ModelBindingData, TriggerInput


def blob_input(
    function: FunctionSpec,
    blob: BlobClient,
    properties: BlobProperties,
    parameters: Mapping[str, str],
) -> TriggerInput:
    """The reference or the whole content, and the trigger metadata.

    Raises `azure.core.exceptions.ResourceModifiedError` when the blob changed since `properties`.
    """
    metadata = _metadata(blob, properties) | dict(parameters)
    if is_sdk_type(function.argument_types.get(function.trigger.name)):
        return TriggerInput("model_binding_data", _reference(function, blob), metadata)
    content = blob.download_blob(
        etag=properties.etag, match_condition=MatchConditions.IfNotModified
    ).readall()
    return TriggerInput("bytes", content, metadata)


def _reference(function: FunctionSpec, blob: BlobClient) -> ModelBindingData:
    content = {
        "Connection": function.trigger.properties.get("connection", ""),
        "ContainerName": blob.container_name,
        "BlobName": blob.blob_name,
    }
    return ModelBindingData(json.dumps(content).encode())


def _metadata(blob: BlobClient, properties: BlobProperties) -> dict[str, Any]:
    return {
        "BlobTrigger": f"{blob.container_name}/{blob.blob_name}",
        "Uri": blob.url,
        "Properties": {
            "ETag": properties.etag,
            "LastModified": properties.last_modified.isoformat(),
            "CreatedOn": properties.creation_time.isoformat(),
            "BlobType": str(properties.blob_type),
            "ContentLength": properties.size,
            "ContentType": properties.content_settings.content_type,
            "ContentEncoding": properties.content_settings.content_encoding,
            "AccessTier": properties.blob_tier,
        },
        "Metadata": dict(properties.metadata),
    }
