"""`registry reconcile`: what a container holds against what is registered."""

import json
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer
from pydantic import JsonValue
from rich.progress import Progress

from cli.backfill import (
    AccountOption,
    ContainerArgument,
    OutputOption,
    PrefixOption,
    TagsOption,
    opened,
    progress_bar,
)
from cli.faults import FAILED, fail, say
from cli.output import Output, write_many
from shared.models.backfills import Hashing
from shared.models.listed_blobs import BlobScope
from shared.models.reconciliations import Compared, Difference, Finding
from shared.models.registrations import Origin

_EXAMPLES = 5
_COLUMNS = ("finding", "found", "repaired", "examples")


def reconcile(
    container: ContainerArgument,
    account: AccountOption = None,
    prefix: PrefixOption = "",
    repair: Annotated[bool, typer.Option("--repair", help="Mend what differs.")] = False,
    hashing: Annotated[
        Hashing, typer.Option("--hash", help="When to hash what --repair registers.")
    ] = Hashing.NOW,
    report: Annotated[
        Path | None, typer.Option(help="Where to write every difference, as JSON Lines.")
    ] = None,
    with_tags: TagsOption = True,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare the store with the registry, both ways; ends with 1 where they differ.

    Blobs that were uploaded a moment ago may be found unregistered while their events are on their
    way; to repair that registers nothing twice.
    """
    from cli.database import reconciliation_service  # noqa: PLC0415 - slow: help pays nothing

    with reconciliation_service() as service, _reporting(report) as reporter:
        scope = BlobScope(account or service.accounts[0], container, prefix)
        if repair:
            origin = Origin("cli:reconcile")
            compared = service.repair(scope, reporter, hashing, origin, with_tags=with_tags)
        else:
            compared = service.compare(scope, reporter, with_tags=with_tags)
    write_many(_told_of(compared, reporter), output, _COLUMNS)
    say(f"compared {compared.blobs:,} blobs and {compared.artifacts:,} artifacts")
    if compared.remaining:
        fail(FAILED, f"store and registry differ about {compared.remaining:,} blobs")


class Reporter:
    """Shows how far a comparison is, and keeps what is to be told of it."""

    def __init__(self, bar: Progress, file: TextIO | None) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, done="")
        self._file = file
        self.examples: dict[Finding, list[str]] = {}

    def progress(self, so_far: Compared) -> None:
        """Nobody knows how many there are."""
        done = f"{so_far.blobs:,} blobs, {so_far.artifacts:,} artifacts"
        self._bar.update(self._task, done=f"{done}, {so_far.found.total():,} differences")

    def found(self, difference: Difference) -> None:
        """All into the file, if there is one; a few of each kind are kept to be shown."""
        if self._file is not None:
            self._file.write(json.dumps(asdict(difference)) + "\n")
        some = self.examples.setdefault(difference.finding, [])
        if len(some) < _EXAMPLES:
            some.append(difference.path)


@contextmanager
def _reporting(report: Path | None) -> Generator[Reporter]:
    with ExitStack() as stack:
        file = opened(report, stack)
        yield Reporter(stack.enter_context(progress_bar()), file)


def _told_of(compared: Compared, reporter: Reporter) -> list[dict[str, JsonValue]]:
    return [
        {
            "finding": finding.value,
            "found": compared.found[finding],
            "repaired": compared.repaired[finding],
            "examples": list(reporter.examples.get(finding, [])),
        }
        for finding in Finding
    ]
