"""The blob trigger: hands a reference on, never content."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

from functions.attempted import REGISTERING
from functions.invocations import traced_run
from functions.origins import origin_of
from shared import bootstrap
from shared.models.blob_events import forwarded_event
from shared.models.blobs import BlobReference
from shared.telemetry.traces import traced

bp = func.Blueprint()


@bp.function_name("blob_uploaded")
@bp.blob_trigger(
    arg_name="client",
    path="%REGISTRY_UPLOAD_CONTAINER%/{name}",
    connection="REGISTRY_STORAGE",
    source=func.BlobSource(bootstrap.trigger_settings().blob_trigger_source),
)
@bp.queue_output(
    arg_name="events", queue_name="%REGISTRY_BLOB_EVENTS_QUEUE%", connection="REGISTRY_STORAGE"
)
def blob_uploaded(client: blob.BlobClient, events: func.Out[str], context: func.Context) -> None:
    """Put a notice of the blob on the queue on which Event Grid's notices arrive as well."""
    try:
        reference = BlobReference(
            str(client.account_name), str(client.container_name), str(client.blob_name)
        )
        with traced_run(context):
            events.set(traced(forwarded_event(reference)))
    except Exception as fault:
        # What forwards needs no database, and asks for one only to tell this.
        attempts = bootstrap.registry().audit.attempts
        attempts.record_fault(REGISTERING, origin_of(context), fault)
        raise
