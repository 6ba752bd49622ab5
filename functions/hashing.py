"""Hashing what was registered unhashed: a queue of its own, and the timer that fills it."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import azure.functions as func

from functions.attempted import attempted, told_of_faults
from functions.invocations import taken, traced_run
from functions.origins import origin_of
from shared.bootstrap import registry
from shared.models.attempts import Doing

bp = func.Blueprint()

_HASHING = Doing("content_hashed", "hash")


@bp.function_name("hash_artifact")
@bp.queue_trigger(
    arg_name="message",
    queue_name="%REGISTRY_HASHING_QUEUE%",
    connection="REGISTRY_STORAGE",
    data_type=func.DataType.BINARY,
)
def hash_artifact(message: func.QueueMessage, context: func.Context) -> None:
    """Fill in the hashes of the artifacts that a message names."""
    built, origin = registry(), origin_of(context)
    with taken(message, context) as body, attempted(built.audit, _HASHING, origin):
        built.late_hashes.take(built.settings.hashing_queue, body, origin)


@bp.function_name("send_hash_requests")
@bp.timer_trigger(arg_name="timer", schedule="30 * * * * *", run_on_startup=False)
def send_hash_requests(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - the host binds it by name
    """Ask for the hashes that are due, as many as the queue should hold."""
    built = registry()
    with traced_run(context), told_of_faults(built.audit, _HASHING, origin_of(context)):
        built.late_hashes.send_due()
