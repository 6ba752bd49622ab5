"""`registry backfill`: what was in a container before anybody listened, on the database itself."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cli.faults import FAILED, MISUSED, fail, say
from cli.output import Output, cell, write_many, write_one
from shared.models.backfills import (
    BackfillProgress,
    BackfillRequest,
    Hashing,
    RefusedBlob,
    RulePreview,
    Tally,
)
from shared.models.listed_blobs import BlobList, BlobScope
from shared.models.registrations import Origin

if TYPE_CHECKING:
    from shared.services.backfill import BackfillService

ContainerArgument = Annotated[str, typer.Argument(metavar="CONTAINER")]
AccountOption = Annotated[
    str | None, typer.Option(help="Storage account; the app's own where none is named.")
]
PrefixOption = Annotated[str, typer.Option(help="Only blobs whose names begin with this.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to write it.")]
TagsOption = Annotated[
    bool,
    typer.Option("--tags/--no-tags", help="Read index tags; accounts with folders have none."),
]

_TOLD_AT_ONCE = 10
_COLUMNS = ("rule", "count", "examples")


def backfill(
    container: ContainerArgument,
    account: AccountOption = None,
    prefix: PrefixOption = "",
    inventory: Annotated[
        Path | None,
        typer.Option(help="An Azure Blob Inventory report, CSV or Parquet, instead of a listing."),
    ] = None,
    hashing: Annotated[
        Hashing, typer.Option("--hash", help="When to hash the bytes.")
    ] = Hashing.LATER,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Blobs a second, at most.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what rules would make of it; register nothing.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where an earlier run was cut off.")
    ] = False,
    failures: Annotated[
        Path | None, typer.Option(help="Where to write what cannot be registered, as JSON Lines.")
    ] = None,
    with_tags: TagsOption = True,
    output: OutputOption = Output.TABLE,
) -> None:
    """Register blobs that were there before.

    Cut off at any point, the same command goes on where it was; done again, it registers what is
    new. What is registered already stays as it is.
    """
    from cli.database import backfill_service  # noqa: PLC0415 - slow: who asks for help pays nothing

    with backfill_service() as service, _telling(failures) as teller:
        scope = BlobScope(account or service.accounts[0], container, prefix)
        blobs = service.list_blobs(scope, inventory, with_tags=with_tags)
        request = BackfillRequest(scope, hashing, rate, restart)
        write = (_preview if dry_run else _run)(service, request, blobs, teller)
    write(output)
    if teller.count:
        fail(FAILED, f"{teller.count} blobs cannot be registered as they are")


def _preview(
    service: "BackfillService", request: BackfillRequest, blobs: BlobList, teller: "Teller"
) -> Callable[[Output], None]:
    seen = service.preview(request, blobs, teller)
    return lambda output: write_many(map(_told_of_rule, seen.rules), output, _COLUMNS)


def _run(
    service: "BackfillService", request: BackfillRequest, blobs: BlobList, teller: "Teller"
) -> Callable[[Output], None]:
    counts = service.run(request, blobs, Origin("cli:backfill"), teller)
    return lambda output: write_one({tally.value: counts[tally] for tally in Tally}, output)


class Teller:
    """Shows how far a backfill is, and writes down what was refused."""

    def __init__(self, bar: Progress, file: TextIO | None) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, done="")
        self._file = file
        self.count = 0

    def progress(self, so_far: BackfillProgress) -> None:
        """Move the bar; where nobody knows how long the list is, it only counts."""
        done = f"{so_far.counts.total():,} blobs, {so_far.counts[Tally.CREATED]:,} new"
        total = None if so_far.part is None else 1.0
        self._bar.update(self._task, total=total, completed=so_far.part or 0, done=done)

    def refused(self, blob: RefusedBlob) -> None:
        """All into the file, if there is one; else the first few to the terminal."""
        self.count += 1
        if self._file is not None:
            self._file.write(json.dumps(asdict(blob)) + "\n")
        elif self.count <= _TOLD_AT_ONCE:
            say(f"refused {cell(blob.path)}: {blob.reason}")
        elif self.count == _TOLD_AT_ONCE + 1:
            say("more are refused: --failures FILE writes all of them down")


@contextmanager
def _telling(failures: Path | None) -> Generator[Teller]:
    with ExitStack() as stack:
        file = opened(failures, stack)
        bar = stack.enter_context(progress_bar())
        yield Teller(bar, file)


def opened(path: Path | None, stack: ExitStack) -> TextIO | None:
    """A file to add lines to, until the stack ends; ends the command where that cannot be."""
    try:
        return stack.enter_context(path.open("a")) if path else None
    except OSError as error:
        fail(MISUSED, f"{path} cannot be written: {error.strerror}")


def progress_bar() -> Progress:
    """On stderr, and only where somebody looks at it."""
    return Progress(
        TextColumn("{task.fields[done]}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


def _told_of_rule(seen: RulePreview) -> dict[str, JsonValue]:
    examples: list[JsonValue] = [
        {"path": each.path, "client_type": each.client_type, "client_refs": dict(each.client_refs)}
        for each in seen.examples
    ]
    return {"rule": seen.rule, "count": seen.count, "examples": examples}
