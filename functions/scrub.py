"""The scrub's timer: a bounded share of all bytes is compared with its hashes each day."""

# The decorators' **kwargs carry no types.
# pyright: reportUnknownMemberType=false

import azure.functions as func

from shared.bootstrap import registry

bp = func.Blueprint()

_SECONDS = 120.0


@bp.function_name("scrub_artifacts")
@bp.timer_trigger(arg_name="timer", schedule="15 */10 * * * *", run_on_startup=False)
def scrub_artifacts(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Say which bytes are read next; the hashing queue has them read."""
    registry().scrub.begin(_SECONDS)
