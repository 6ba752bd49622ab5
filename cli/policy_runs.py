"""`registry policies`: what they would do, and runs of them."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from time import sleep
from typing import TYPE_CHECKING, Annotated, NoReturn
from uuid import UUID

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.filesize import decimal
from rich.text import Text

from cli.arguments import AllOption, LimitOption, OutputOption, YesOption, id_of
from cli.confirming import confirmed
from cli.connecting import POLICIES, POLICY_RUNS, connected
from cli.documents import NameArgument
from cli.exchange import JsonObject, figure
from cli.faults import CONFLICT, FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, cell, write_many, write_one
from cli.pages import follow, items, objects, wanted

if TYPE_CHECKING:
    from cli.client import RegistryClient

policy_runs = typer.Typer()

_CANDIDATES = ["artifact_id", "due_at", "bytes_freed", "reason", "warnings"]
_REFUSED = ["artifact_id", "reason"]
_RUNS = [
    "run_id",
    "policy",
    "status",
    "started_at",
    "ended_at",
    "selected",
    "acted",
    "bytes",
    "refused",
    "errors",
]
_POLL_SECONDS = 2.0
_INTERRUPTED = 130


@policy_runs.command()
def preview(
    context: typer.Context,
    name: NameArgument,
    refused: Annotated[
        bool, typer.Option("--refused", help="Instead, what is due and left alone, and why.")
    ] = False,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List what a policy would do now; changes nothing."""
    member, columns = ("refused", _REFUSED) if refused else ("candidates", _CANDIDATES)
    with connected(context) as client:
        most = wanted(limit, everything=everything)
        seen = _Seen()
        pages = seen.each(follow(client, [*POLICIES, name, "preview"], {}, member, most))
        write_many(items(pages, member), output, columns)
        say(seen.line)


@policy_runs.command()
def run(
    context: typer.Context,
    name: NameArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what a run would do.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Stay until the run has ended.")] = True,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Run a policy now; ends with 1 where something failed, with 5 where another run goes on."""
    with connected(context) as client:
        if not yes and not dry_run:
            _confirm(client, name)
        told = _begin(client, name, dry_run=dry_run)
        if wait:
            told = _until_ended(client, told)
        write_one(told, output)
        if told.get("status") == "skipped":
            fail(CONFLICT, f"another run is under way: {cell(told.get('skipped_for'))}")
        if told.get("errors"):
            fail(FAILED, f"{cell(told.get('errors'))} failed; the next run tries them again")


@policy_runs.command()
def runs(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List runs, newest first; of one policy, or of all."""
    with connected(context) as client:
        asked = {} if name is None else {"policy": name}
        pages = follow(client, POLICY_RUNS, asked, "runs", wanted(limit, everything=everything))
        write_many(_some(items(pages, "runs")), output, _RUNS)


@policy_runs.command("run-status")
def run_status(
    context: typer.Context,
    run_id: Annotated[UUID, typer.Argument(parser=id_of, metavar="RUN_ID")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one run, and how far it is."""
    with connected(context) as client:
        write_one(client.ask("GET", [*POLICY_RUNS, str(run_id)]).body, output)


class _Seen:
    """What the pages of a preview come to."""

    def __init__(self) -> None:
        self._refused = Counter[str]()
        self._last: JsonObject = {}

    def each(self, pages: Iterable[JsonObject]) -> Iterator[JsonObject]:
        for page in pages:
            self._refused.update(cell(each.get("reason")) for each in objects(page.get("refused")))
            self._last = page
            yield page

    @property
    def line(self) -> str:
        part = "" if self._last.get("next") is None else " so far"
        told = f"to be acted on{part}: {_amount(self._last, 'total', 'bytes_freed')}"
        return f"{told}; left alone: {_reasons({**self._refused})}"


def _confirm(client: "RegistryClient", name: str) -> None:
    if not sys.stdin.isatty():
        refuse("there is no terminal to ask at: say --yes, or --dry-run to look")
    told = _begin(client, name, dry_run=True)
    say(f"to be acted on: {_figures(told)}")
    if told.get("status") == "incomplete":
        say("that is only a part: to look at everything takes too long")
    if not confirmed("Run this policy?"):
        fail(FAILED, "nothing was changed")


def _begin(client: "RegistryClient", name: str, *, dry_run: bool) -> JsonObject:
    asked = {"dry_run": "true" if dry_run else "false"}
    # Never again where the answer is lost: the other run would say nothing of what this one does.
    path = [*POLICIES, name, "run"]
    try:
        return client.ask("POST", path, parameters=asked, is_repeatable=False).body
    except KeyboardInterrupt:
        if dry_run:
            raise
        _leave(f"the run may go on: registry policies runs {name}")


def _until_ended(client: "RegistryClient", run: JsonObject) -> JsonObject:
    if run.get("status") != "running":
        return run
    run_id = cell(run.get("run_id"))
    say(f"run {run_id} is under way")
    try:
        with Console(stderr=True).status(Text(_figures(run))) as status:
            while run.get("status") == "running":
                sleep(_POLL_SECONDS)
                run = client.ask("GET", [*POLICY_RUNS, run_id]).body
                status.update(Text(_figures(run)))
    except KeyboardInterrupt:
        _leave(f"the run goes on at the registry: registry policies run-status {run_id}")
    return run


def _leave(message: str) -> NoReturn:
    """Whoever interrupts ends the command, not the run."""
    say(message)
    raise typer.Exit(_INTERRUPTED) from None


def _some(runs: Iterator[JsonObject]) -> Iterator[JsonObject]:
    """The same, and a word where there are none: that looks like a failure otherwise."""
    first = next(runs, None)
    if first is None:
        say("no runs")
        return
    yield first
    yield from runs


def _figures(run: JsonObject) -> str:
    """What a run did, or would do, on one line."""
    done = f"{_amount(run, 'acted', 'bytes')}; left alone: {_reasons(run.get('refused'))}"
    return f"{done}; errors: {figure(run, 'errors')}"


def _amount(told: JsonObject, count: str, size: str) -> str:
    number = figure(told, count)
    noun = "artifact" if number == 1 else "artifacts"
    return f"{number:,} {noun}, {decimal(figure(told, size))}"


def _reasons(refused: JsonValue) -> str:
    counts = refused if isinstance(refused, dict) else {}
    return ", ".join(f"{times} {cell(why)}" for why, times in sorted(counts.items())) or "none"
