"""`registry rules`: what uploads are registered as; every change is shown before it is made."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import JsonValue
from rich.console import Console

from cli.arguments import OutputOption, YesOption, merge
from cli.confirming import confirmed
from cli.connecting import RULES, connected
from cli.exchange import Answer, JsonObject, NoRegistry, json_body
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, cell, write_many, write_one
from cli.pages import objects
from cli.rule_changes import are_any, summary, write_diff
from cli.rule_files import RulesFile, read_rules_file

if TYPE_CHECKING:
    from cli.client import RegistryClient

rules = typer.Typer(help="Ingestion rules: what uploads are.", no_args_is_help=True)

_COLUMNS = ["name", "priority", "enabled", "account", "container", "path", "client_type"]
_FILE = "A file of YAML or JSON, or - for stdin."

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help=_FILE)]


class FileForm(StrEnum):
    """How a file of rules is written."""

    YAML = "yaml"
    JSON = "json"


@rules.command("list")
def list_rules(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the rules that are in force, in the order in which they are asked."""
    with connected(context) as client:
        listed = objects(client.ask("GET", RULES).body.get("rules"))
        write_many(sorted(listed, key=_rank), output, _COLUMNS)


@rules.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one rule."""
    with connected(context) as client:
        write_one(client.ask("GET", [*RULES, name]).body, output)


@rules.command()
def export(
    context: typer.Context,
    output: Annotated[
        FileForm, typer.Option("--output", "-o", help="How to write it.")
    ] = FileForm.YAML,
) -> None:
    """Write the file of the rules that are in force; applying it changes nothing."""
    with connected(context) as client:
        in_force: JsonObject = {"rules": client.ask("GET", RULES).body.get("rules")}
        write_one(in_force, Output(output))


@rules.command("apply")
def apply_rules(
    context: typer.Context,
    source: FileArgument,
    yes: YesOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a file's rules those that are in force, all of them, after showing what changes.

    What is applied is what was shown: where somebody else changes rules meanwhile, nothing is.
    """
    with connected(context) as client:
        if not yes and not dry_run and not sys.stdin.isatty():
            refuse("there is no terminal to ask at: say --yes, or --dry-run to look")
        file = read_rules_file(source)
        told = _put(client, file, {"dry_run": "true"})
        if dry_run:
            _write_plan(told.body, output)
            return
        _confirm(told.body, yes=yes)
        if told.entity_tag is None:
            raise NoRegistry("the answer does not say which rules were compared with")
        # Also where nothing is to change: that it still is as shown is what the command says then.
        done = _put(client, file, {}, {"If-Match": told.entity_tag})
        write_one(summary(done.body) if output is Output.TABLE else done.body, output)


@rules.command("test")
def try_upload(
    context: typer.Context,
    container: Annotated[str, typer.Argument(metavar="CONTAINER")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="The blob's name.")],
    account: Annotated[
        str | None, typer.Option(help="The storage account; by default the registry's first.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="Blob metadata; repeatable.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="An index tag; repeatable.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE", help=f"Rules that are not in force yet. {_FILE}"),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say which rule an upload would meet, and what would be registered; ends with 1 if nothing."""
    with connected(context) as client:
        asked: JsonObject = {
            "account": account,
            "container": container,
            "path": path,
            "metadata": merge(metadata or [], "--metadata"),
            "tags": merge(tag or [], "--tag"),
        }
        trial = _try(client, asked, source)
        write_one(_flat(trial) if output is Output.TABLE else trial, output)
        if trial.get("rule") is None:
            say("no rule matches: the blob itself is the asset")
        if trial.get("problem") is not None:
            raise typer.Exit(FAILED)


def _put(
    client: "RegistryClient",
    file: RulesFile,
    parameters: dict[str, str],
    headers: dict[str, str] | None = None,
) -> Answer:
    body = json_body(file.rules)
    with file.located():
        return client.ask("PUT", RULES, parameters=parameters, body=body, headers=headers)


def _try(client: "RegistryClient", asked: JsonObject, source: str | None) -> JsonObject:
    path = [*RULES, "test"]
    if source is None:
        return client.ask("POST", path, body=json_body(asked)).body
    file = read_rules_file(source)
    with file.located():
        return client.ask("POST", path, body=json_body(file.rules | asked)).body


def _write_plan(changes: JsonObject, output: Output) -> None:
    if output is Output.TABLE:
        write_diff(changes, Console())
    else:
        write_one(changes, output)
    if not are_any(changes):
        say("nothing would change")


def _confirm(changes: JsonObject, *, yes: bool) -> None:
    if not are_any(changes):
        say("nothing changes")
        return
    write_diff(changes, Console(stderr=True))
    if not yes and not confirmed("Apply these changes?"):
        fail(FAILED, "nothing was changed")


def _rank(rule: JsonObject) -> tuple[float, str]:
    priority = rule.get("priority")
    return (priority if isinstance(priority, int) else 0, str(rule.get("name")))


def _flat(trial: JsonObject) -> JsonObject:
    """What is to be said in a table: of the registration only what would be set."""
    registration, problem = trial.get("registration"), trial.get("problem")
    told = {name: trial.get(name) for name in ("rule", "values", "also_matching")}
    if isinstance(registration, dict):
        told |= {name: value for name, value in registration.items() if value is not None}
    if isinstance(problem, dict):
        told["problem"] = _sentence(problem)
    return told


def _sentence(problem: dict[str, JsonValue]) -> str:
    return f"{cell(problem.get('pointer'))}: {cell(problem.get('detail'))}"
