"""`registry rules`: what uploads are registered as; every change is shown before it is made."""

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import JsonValue

from cli.arguments import OutputOption, merge
from cli.connecting import RULES, connected
from cli.document_files import read_document_file
from cli.documents import FILE_HELP, Document, add_commands
from cli.exchange import JsonObject, json_body
from cli.faults import FAILED, say
from cli.output import Output, cell, write_one

if TYPE_CHECKING:
    from cli.client import RegistryClient

rules = typer.Typer(help="Ingestion rules: what uploads are.", no_args_is_help=True)
add_commands(
    rules,
    Document(
        noun="rule",
        plural="rules",
        path=RULES,
        columns=["name", "priority", "enabled", "account", "container", "path", "client_type"],
        list_help="List the rules that are in force, in the order in which they are asked.",
    ),
)


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
        typer.Option(
            "--file", metavar="FILE", help=f"Rules that are not in force yet. {FILE_HELP}"
        ),
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


def _try(client: "RegistryClient", asked: JsonObject, source: str | None) -> JsonObject:
    path = [*RULES, "test"]
    if source is None:
        return client.ask("POST", path, body=json_body(asked)).body
    file = read_document_file(source, "rules")
    with file.located():
        return client.ask("POST", path, body=json_body(file.value | asked)).body


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
