"""The audit trail's own timers: days are sealed when they are over, months go when they may."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import logging

import azure.functions as func

from functions.origins import origin_of
from shared.bootstrap import trail_retention, trail_seals
from shared.errors import SealConflict, StorageUnavailable

bp = func.Blueprint()

_LOGGER = logging.getLogger(__name__)
_SECONDS = 240.0
_RETAINING_SECONDS = 1200.0
"""The host ends a function after half an hour, and its process with it."""


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


@bp.function_name("keep_audit_months")
@bp.timer_trigger(arg_name="timer", schedule="0 40 3 * * *", run_on_startup=False)
def keep_audit_months(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - likewise
    """Export months that need not be kept any more, and drop those that were; once a day."""
    trail_retention().retain(_RETAINING_SECONDS, origin_of(context))
