"""Policies: the schedule that begins runs, the tick that goes on with them, the queue of work."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import azure.functions as func

from functions.attempted import attempted, told_of_faults
from functions.invocations import taken, traced_run
from functions.origins import origin_of
from shared.bootstrap import registry
from shared.models.attempts import Doing

bp = func.Blueprint()

_RUNNING = Doing("policy_run", "run")
_ACTING = Doing("policy_run", "act")


@bp.function_name("start_policy_runs")
@bp.timer_trigger(arg_name="timer", schedule="%REGISTRY_POLICY_SCHEDULE%", run_on_startup=False)
def start_policy_runs(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - the host binds it by name
    """Begin a run of every enabled policy that has anything due."""
    built = registry()
    with traced_run(context), told_of_faults(built.audit, _RUNNING, origin_of(context)):
        built.enforcement.runs.start_due()


@bp.function_name("advance_policy_runs")
@bp.timer_trigger(arg_name="timer", schedule="15 * * * * *", run_on_startup=False)
def advance_policy_runs(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - likewise
    """Go on with the runs that are under way: claim, send, count."""
    built = registry()
    with traced_run(context), told_of_faults(built.audit, _RUNNING, origin_of(context)):
        built.enforcement.runs.advance()


@bp.function_name("act_on_artifacts")
@bp.queue_trigger(
    arg_name="message",
    queue_name="%REGISTRY_POLICY_ACTIONS_QUEUE%",
    connection="REGISTRY_STORAGE",
    data_type=func.DataType.BINARY,
)
def act_on_artifacts(message: func.QueueMessage, context: func.Context) -> None:
    """Do what policies want with the artifacts that a message names."""
    built, origin = registry(), origin_of(context)
    queue = built.settings.policy_actions_queue
    with taken(message, context) as body, attempted(built.audit, _ACTING, origin):
        built.enforcement.actions.take(queue, body, origin)
