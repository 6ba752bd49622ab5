"""The audit trail's own timers: days are sealed when they are over."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import logging

import azure.functions as func

from shared.bootstrap import trail_seals
from shared.errors import SealConflict, StorageUnavailable

bp = func.Blueprint()

_LOGGER = logging.getLogger(__name__)
_SECONDS = 240.0


@bp.function_name("seal_audit_days")
@bp.timer_trigger(arg_name="timer", schedule="0 20 * * * *", run_on_startup=False)
def seal_audit_days(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Seal the days of the audit trail that are over, once an hour."""
    try:
        trail_seals().seal_days(_SECONDS)
    except StorageUnavailable:
        _LOGGER.warning("audit day not sealed", exc_info=True)
    except SealConflict:
        # It stays so until somebody looks: `registry audit verify` names what was changed.
        _LOGGER.exception("audit day cannot be sealed")
