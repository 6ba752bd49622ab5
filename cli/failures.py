"""`registry ingest failures`: messages that could not be used, replayed or discarded."""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cli.arguments import (
    AllOption,
    FailureIdArgument,
    FailureIdsArgument,
    LimitOption,
    OutputOption,
    YesOption,
)
from cli.confirming import confirmed
from cli.connecting import FAILURES, connected
from cli.exchange import JsonObject, NoRegistry, figure, json_body
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, cell, write_many, write_one
from cli.pages import follow, items, wanted
from shared.models.set_aside import FailureState

if TYPE_CHECKING:
    from cli.client import RegistryClient

ingest = typer.Typer(help="What reaches the registry by itself.", no_args_is_help=True)
failures = typer.Typer(help="Messages that could not be used.", no_args_is_help=True)
ingest.add_typer(failures, name="failures")

_COLUMNS = ["set_aside_id", "set_aside_at", "source", "reason", "state", "explanation"]
_SHOWN = ["source", "reason", "explanation"]
_UNCOUNTED = "the answer does not say how many will be taken once more"


class Unended(StrEnum):
    """What may be replayed."""

    OPEN = FailureState.OPEN
    REPLAYING = FailureState.REPLAYING


StateOption = Annotated[FailureState, typer.Option(help="What became of them.")]
UnendedOption = Annotated[
    Unended, typer.Option(help="replaying: again, should their replays have been lost.")
]
SourceOption = Annotated[str | None, typer.Option(help="Only of this queue.")]
ReasonOption = Annotated[str | None, typer.Option(help="Only with this reason.")]


@failures.command("list")
def list_failures(
    context: typer.Context,
    state: StateOption = FailureState.OPEN,
    source: SourceOption = None,
    reason: ReasonOption = None,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List messages that were set aside, newest first."""
    with connected(context) as client:
        most = wanted(limit, everything=everything)
        asked = {"state": state.value, **_named(source, reason)}
        pages = follow(client, FAILURES, asked, "failures", most)
        write_many(items(pages, "failures"), output, _COLUMNS)


@failures.command()
def show(
    context: typer.Context, failure_id: FailureIdArgument, output: OutputOption = Output.TABLE
) -> None:
    """Show one failure with the message's body."""
    with connected(context) as client:
        write_one(client.ask("GET", [*FAILURES, str(failure_id)]).body, output)


@failures.command()
def replay(
    context: typer.Context,
    failure_ids: FailureIdsArgument = [],  # noqa: B006 - typer reads it, and never hands it on
    everything: Annotated[
        bool, typer.Option("--all", help="All that are meant, instead of some by id.")
    ] = False,
    state: UnendedOption = Unended.OPEN,
    source: SourceOption = None,
    reason: ReasonOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Have messages taken once more, when what made them fail is mended."""
    with connected(context) as client:
        if everything == bool(failure_ids):
            refuse("give either failures by their ids or --all")
        if failure_ids:
            if source or reason or state is not Unended.OPEN:
                refuse("--source, --reason and --state narrow --all down")
            write_many(_replay_each(client, failure_ids), output, _COLUMNS)
        else:
            asked = {"state": state.value, **_named(source, reason)}
            write_one(_replay_all(client, asked), output)


@failures.command()
def discard(
    context: typer.Context,
    failure_ids: FailureIdsArgument,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Close messages that nobody needs: they are not replayed any more. Their records stay."""
    with connected(context) as client:
        if not yes:
            _confirm(client, failure_ids)
        write_many(_discard_each(client, failure_ids), output, _COLUMNS)


def _named(source: str | None, reason: str | None) -> dict[str, str]:
    named = {"source": source, "reason": reason}
    return {name: text for name, text in named.items() if text is not None}


def _replay_each(client: "RegistryClient", failure_ids: Iterable[UUID]) -> Iterator[JsonObject]:
    for failure_id in failure_ids:
        yield client.ask("POST", [*FAILURES, str(failure_id), "replay"]).body


def _replay_all(client: "RegistryClient", asked: dict[str, str]) -> JsonObject:
    """Page by page, and how many of all of them."""
    told = {"count": 0, "skipped": 0}
    place: dict[str, str] = {}
    while True:
        page = client.ask("POST", [*FAILURES, "replay"], body=json_body({**asked, **place})).body
        for name in told:
            told[name] += figure(page, name, _UNCOUNTED)
        following = page.get("next")
        if following is None:
            break
        if not isinstance(following, str) or place.get("cursor") == following:
            raise NoRegistry("the answer leads to no other page")
        place = {"cursor": following}
    if told["skipped"]:
        say("skipped what came from queues that the registry no longer takes messages from")
    return {**told}


def _confirm(client: "RegistryClient", failure_ids: Iterable[UUID]) -> None:
    if not sys.stdin.isatty():
        refuse("this cannot be undone, and there is no terminal to ask at: say --yes")
    for failure_id in failure_ids:
        say(f"failure {failure_id}")
        shown = client.ask("GET", [*FAILURES, str(failure_id)]).body
        for name in _SHOWN:
            say(f"  {name}: {cell(shown.get(name))}")
    if not confirmed("Discard: nothing of this is registered?"):
        fail(FAILED, "nothing was changed")


def _discard_each(client: "RegistryClient", failure_ids: Iterable[UUID]) -> Iterator[JsonObject]:
    for failure_id in failure_ids:
        yield client.ask("DELETE", [*FAILURES, str(failure_id)], parameters={"confirm": "yes"}).body
