"""`registry holds`: what nobody may archive, delete or purge."""

import sys
from typing import Annotated
from uuid import UUID

import typer
from pydantic import JsonValue

from cli.arguments import (
    AllOption,
    HoldIdArgument,
    InstantOption,
    LimitOption,
    ObjectOption,
    OutputOption,
    YesOption,
    id_of,
)
from cli.confirming import confirmed
from cli.connecting import HOLDS, connected
from cli.exchange import JsonObject, json_body
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, cell, write_many, write_one
from cli.pages import follow, items, wanted

holds = typer.Typer(help="Holds: what nobody may archive, delete or purge.", no_args_is_help=True)

_COLUMNS = ["hold_id", "artifact_id", "asset_id", "selector", "reason", "until", "released_at"]
_SHOWN = ["reason", "artifact_id", "asset_id", "selector", "until", "owner"]


@holds.command("list")
def list_holds(
    context: typer.Context,
    released: Annotated[
        bool, typer.Option("--released", help="Those that were released, too.")
    ] = False,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List holds, newest first."""
    with connected(context) as client:
        most = wanted(limit, everything=everything)
        pages = follow(client, HOLDS, {"released": "true"} if released else {}, "holds", most)
        write_many(items(pages, "holds"), output, _COLUMNS)


@holds.command()
def show(
    context: typer.Context, hold_id: HoldIdArgument, output: OutputOption = Output.TABLE
) -> None:
    """Show one hold."""
    with connected(context) as client:
        write_one(client.ask("GET", [*HOLDS, str(hold_id)]).body, output)


@holds.command()
def place(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; anybody who may read sees it.")],
    artifact: Annotated[UUID | None, typer.Option(parser=id_of, metavar="ARTIFACT_ID")] = None,
    asset: Annotated[UUID | None, typer.Option(parser=id_of, metavar="ASSET_ID")] = None,
    selector: ObjectOption = None,
    until: InstantOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Hold an artifact, all of an asset, or whatever a selector means, now and later."""
    with connected(context) as client:
        asked: JsonObject = {**_target(artifact, asset, selector), "reason": reason, "until": until}
        write_one(client.ask("POST", HOLDS, body=json_body(asked)).body, output)


@holds.command()
def release(
    context: typer.Context,
    hold_id: HoldIdArgument,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """End a hold: policies and people may act on what was held. Its record stays."""
    with connected(context) as client:
        path = [*HOLDS, str(hold_id)]
        if not yes:
            _confirm(client.ask("GET", path).body)
        write_one(client.ask("DELETE", path, parameters={"confirm": "yes"}).body, output)


def _target(artifact: UUID | None, asset: UUID | None, selector: JsonObject | None) -> JsonObject:
    target: dict[str, JsonValue] = {
        "artifact_id": str(artifact) if artifact else None,
        "asset_id": str(asset) if asset else None,
        "selector": selector,
    }
    given: JsonObject = {name: value for name, value in target.items() if value is not None}
    if len(given) != 1:
        refuse("give one of --artifact, --asset and --selector")
    return given


def _confirm(hold: JsonObject) -> None:
    if not sys.stdin.isatty():
        refuse("there is no terminal to ask at: say --yes")
    for name in _SHOWN:
        if hold.get(name) is not None:
            say(f"  {name}: {cell(hold.get(name))}")
    if not confirmed("Release this hold?"):
        fail(FAILED, "nothing was changed")
