"""The scrub's timer: a bounded share of all bytes is compared with its hashes each day."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import azure.functions as func

from functions.attempted import told_of_faults
from functions.invocations import traced_run
from functions.origins import origin_of
from shared.bootstrap import registry
from shared.models.attempts import Doing

bp = func.Blueprint()

_SECONDS = 120.0
_VERIFYING = Doing("verified", "verify")


@bp.function_name("scrub_artifacts")
@bp.timer_trigger(arg_name="timer", schedule="15 */10 * * * *", run_on_startup=False)
def scrub_artifacts(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - the host binds it by name
    """Say which bytes are read next; the hashing queue has them read."""
    built = registry()
    with traced_run(context), told_of_faults(built.audit, _VERIFYING, origin_of(context)):
        built.scrub.begin(_SECONDS)
