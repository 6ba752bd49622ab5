"""`registry policies`: what is archived, deleted or purged, and when."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from cli.arguments import OutputOption, YesOption
from cli.confirming import confirmed
from cli.connecting import POLICIES, connected
from cli.document_changes import summary, write_diff
from cli.documents import Document, NameArgument, add_commands
from cli.exchange import JsonObject
from cli.faults import FAILED, fail
from cli.misuse import refuse
from cli.output import Output, cell, write_one
from cli.pages import objects
from cli.policy_forecasts import policy_forecasts
from cli.policy_runs import policy_runs

if TYPE_CHECKING:
    from cli.client import RegistryClient


def _locks(changes: JsonObject) -> Iterator[str]:
    """What cannot be taken back of the changes."""
    changed = [change.get("after") for change in objects(changes.get("changed"))]
    for policy in [*objects(changes.get("added")), *objects(changed)]:
        if policy.get("locked") is True:
            yield f"{cell(policy.get('name'))} is locked: it cannot be removed or shortened again"


policies = typer.Typer(
    help="Policies: what is archived, deleted or purged, and when.", no_args_is_help=True
)
add_commands(
    policies,
    Document(
        noun="policy",
        plural="policies",
        path=POLICIES,
        columns=[
            "name",
            "priority",
            "enabled",
            "kind",
            "target_tier",
            "clock",
            "age",
            "keep_last",
            "locked",
            "selector",
        ],
        list_help="List all policies, in the order in which those that are enabled run.",
        warn=_locks,
    ),
)
policies.add_typer(policy_runs)
policies.add_typer(policy_forecasts)


@policies.command()
def remove(
    context: typer.Context,
    name: NameArgument,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Forget a policy; what was done by it stays done. One that is locked stays."""
    with connected(context) as client:
        path = [*POLICIES, name]
        headers = {} if yes else _confirmed(client, path)
        done = client.ask("DELETE", path, parameters={"confirm": "yes"}, headers=headers).body
        write_one(summary(done) if output is Output.TABLE else done, output)


def _confirmed(client: "RegistryClient", path: list[str]) -> dict[str, str]:
    """The condition that what was shown is what is removed."""
    if not sys.stdin.isatty():
        refuse("there is no terminal to ask at: say --yes")
    shown = client.ask("GET", path)
    changes: JsonObject = {"added": [], "changed": [], "removed": [shown.body]}
    write_diff("policy", changes, Console(stderr=True))
    if not confirmed("Remove this policy?"):
        fail(FAILED, "nothing was changed")
    return {"If-Match": shown.entity_tag} if shown.entity_tag else {}
