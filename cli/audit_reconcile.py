"""`registry audit reconcile`: what the trail holds that a restored database does not know."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from cli.backfill import progress_bar
from cli.faults import FAILED, fail, say
from cli.output import Output, write_one
from shared.models.registrations import Origin


def reconcile(
    repair: Annotated[
        bool, typer.Option("--repair", help="Let the database know them again.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to write it.")
    ] = Output.TABLE,
) -> None:
    """Look for events that were recorded after the moment to which the database was restored.

    Until it knows them again, nothing is added to the trail. Stop the app before you repair. Ends
    with 1 where there are such events, and they stay unknown.
    """
    from cli.database import trail_recovery  # noqa: PLC0415 - slow: who asks for help pays nothing

    with trail_recovery() as recovery, _telling() as progress:
        if repair:
            found = recovery.take_up(Origin("cli:audit reconcile"), progress)
        else:
            found = recovery.look(progress)
    write_one(found.model_dump(mode="json"), output)
    if found.last_number is None:
        say("the database knows all that is in the trail")
    elif not repair:
        fail(FAILED, "the trail holds events that the database does not know: see --repair")


@contextmanager
def _telling() -> Generator[Callable[[datetime, int], None]]:
    with progress_bar() as bar:
        task = bar.add_task("", total=None, done="")

        def tell(recorded_at: datetime, events: int) -> None:
            bar.update(task, done=f"{recorded_at:%Y-%m-%d}: {events:,} events")

        yield tell
