"""The timer triggers: what is done now and then, by one instance at a time."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import azure.functions as func

from shared.bootstrap import registry

bp = func.Blueprint()


@bp.function_name("fold_statistics")
@bp.timer_trigger(arg_name="timer", schedule="0 * * * * *", run_on_startup=False)
def fold_statistics(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Fold what changed in the last minute into the statistics' totals."""
    registry().artifacts.fold_changes()
