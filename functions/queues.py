"""The queue triggers: one service call a message. What is raised, the host delivers again.

The bodies are bound as bytes: of a text that is a JSON object the host lays members over the
message's metadata, and one like `"DequeueCount": "many"` would fail before this code runs.
"""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

from typing import List  # noqa: UP035 - the worker knows no other spelling in an output

import azure.functions as func

from functions.attempted import REGISTERING, attempted
from functions.invocations import taken
from functions.origins import origin_of
from shared.bootstrap import registry
from shared.models.ids import repeatable_id
from shared.telemetry.traces import traced

bp = func.Blueprint()

Messages = List[str]  # noqa: UP006 - likewise


@bp.function_name("blob_events")
@bp.queue_trigger(
    arg_name="message",
    queue_name="%REGISTRY_BLOB_EVENTS_QUEUE%",
    connection="REGISTRY_STORAGE",
    data_type=func.DataType.BINARY,
)
@bp.queue_output(
    arg_name="following", queue_name="%REGISTRY_BLOB_EVENTS_QUEUE%", connection="REGISTRY_STORAGE"
)
def blob_events(
    message: func.QueueMessage, following: func.Out[Messages], context: func.Context
) -> None:
    """Follow notices of blobs: Event Grid's, CloudEvents, or forwarded.

    What is left to do is put on the queue before the message is taken off it.
    """
    built, origin = registry(), origin_of(context)
    queue = built.settings.blob_events_queue
    with taken(message, context) as body, attempted(built.audit, REGISTERING, origin):
        messages = built.ingestion.take_blob_events(queue, body, origin)
        if messages:
            following.set([traced(each) for each in messages])


@bp.function_name("register_artifact")
@bp.queue_trigger(
    arg_name="message",
    queue_name="%REGISTRY_REGISTRATIONS_QUEUE%",
    connection="REGISTRY_STORAGE",
    data_type=func.DataType.BINARY,
)
def register_artifact(message: func.QueueMessage, context: func.Context) -> None:
    """Register what a pipeline wrote: the body of `POST /api/v1/artifacts`."""
    built, origin = registry(), origin_of(context)
    queue = built.settings.registrations_queue
    # Members of the body may stand in for the message's metadata, its id too: but a registration
    # has no such member, and a body that has one is refused as none.
    artifact_id = repeatable_id(f"{queue}/{message.id}", message.insertion_time)
    with taken(message, context) as body, attempted(built.audit, REGISTERING, origin):
        built.ingestion.take_registration(queue, body, origin, artifact_id)
