"""The audit trail: what changes leave in the database is moved into its table."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import logging

import azure.functions as func

from shared.bootstrap import registry
from shared.errors import SealConflict, StorageUnavailable

bp = func.Blueprint()

_LOGGER = logging.getLogger(__name__)
_SECONDS = 50.0


@bp.function_name("relay_audit_trail")
@bp.timer_trigger(arg_name="timer", schedule="30 * * * * *", run_on_startup=False)
def relay_audit_trail(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Move what waits into the audit trail, once a minute."""
    _relay()


@bp.function_name("audit_relay")
@bp.queue_trigger(
    arg_name="message",
    queue_name="%REGISTRY_AUDIT_QUEUE%",
    connection="REGISTRY_STORAGE",
    data_type=func.DataType.BINARY,
)
def audit_relay(message: func.QueueMessage) -> None:  # noqa: ARG001 - likewise
    """The same as soon as somebody says that something waits."""
    _relay()


def _relay() -> None:
    try:
        registry().audit.relay.relay(_SECONDS)
    except StorageUnavailable:
        # It waits in the database, and readiness tells for how long. Tried again in a minute, and
        # not five times at once: no message of this queue is worth keeping.
        _LOGGER.warning("audit trail not written", exc_info=True)
    except SealConflict:
        # The database was restored: it waits until somebody runs `registry audit reconcile`.
        _LOGGER.exception("audit trail is ahead of the database")
