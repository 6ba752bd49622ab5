"""`registry audit retain`: ends the audit trail where it is long enough, as a timer does daily."""

from math import inf
from typing import Annotated

import typer

from cli.faults import FAILED, fail
from cli.output import Output, write_one
from shared.models.registrations import Origin


def retain(
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to write it.")
    ] = Output.TABLE,
) -> None:
    """Export months that need not be kept any more, and drop those that were exported before.

    Each month is taken one step further: it is dropped a day after it was exported. Ends with 1
    where a month stays that should go.
    """
    from cli.database import trail_retention  # noqa: PLC0415 - slow: who asks for help pays nothing

    with trail_retention() as retention:
        done = retention.retain(inf, Origin("cli:audit retain"))
    write_one(done._asdict(), output)
    if done.refused:
        fail(FAILED, f"months that stay: {done.refused}; the log says why")
