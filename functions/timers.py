"""The timer triggers: what is done now and then, by one instance at a time."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import azure.functions as func

from functions.attempted import told_of_faults
from functions.invocations import traced_run
from functions.origins import origin_of
from shared.bootstrap import depths, registry
from shared.models.attempts import Doing

bp = func.Blueprint()

_DRAINING_SECONDS = 120.0
_CHECKING_SECONDS = 240.0
_SETTING_ASIDE = Doing("message_set_aside", "set_aside")
_REHYDRATING = Doing("rehydrated", "rehydrate")


@bp.function_name("fold_statistics")
@bp.timer_trigger(arg_name="timer", schedule="*/10 * * * * *", run_on_startup=False)
def fold_statistics(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Fold what changed lately into the totals, of artifacts and of builds: before it is so much
    that who reads figures would take long to add it."""
    registry().artifacts.fold_changes()
    registry().builds.dashboard.fold()


@bp.function_name("measure_depths")
@bp.timer_trigger(arg_name="timer", schedule="50 * * * * *", run_on_startup=False)
def measure_depths(timer: func.TimerRequest) -> None:  # noqa: ARG001 - likewise
    """Record how much waits in queues, aside, and for the audit trail."""
    depths().measure()


@bp.function_name("drain_poison_queues")
@bp.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False)
def drain_poison_queues(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - likewise
    """Set aside what the host gave up, long before the poison queues forget it."""
    built, origin = registry(), origin_of(context)
    with traced_run(context), told_of_faults(built.audit, _SETTING_ASIDE, origin):
        built.poison_queues.drain(_DRAINING_SECONDS, origin)


@bp.function_name("check_rehydrations")
@bp.timer_trigger(arg_name="timer", schedule="45 */5 * * * *", run_on_startup=False)
def check_rehydrations(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - likewise
    """See which archived bytes are back that somebody asked for."""
    built, origin = registry(), origin_of(context)
    with traced_run(context), told_of_faults(built.audit, _REHYDRATING, origin):
        built.rehydration.check_due(_CHECKING_SECONDS, origin)
