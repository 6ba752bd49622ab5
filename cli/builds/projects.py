"""`bldst project`: catalogues of the states that builds go through."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cli.arguments import AllOption, LimitOption, YesOption
from cli.builds.arguments import OutputOption, group
from cli.builds.asking import require_yes
from cli.builds.configuration import connected
from cli.builds.writing import write_list
from cli.document_changes import write_diff
from cli.document_files import DocumentFile, read_document_file
from cli.exchange import JsonObject, Refused, json_body
from cli.faults import say
from cli.misuse import refuse
from cli.output import Output, write_many, write_one
from cli.pages import follow, items, objects, wanted

if TYPE_CHECKING:
    from cli.client import RegistryClient

projects = group("Projects: which states their builds go through.")

PROJECTS = ("builds", "projects")
_COLUMNS = {
    "Code": "code",
    "Name": "name",
    "Initial": "initial",
    "Final": "final",
    "Error": "error",
    "Resumable": "resumable",
    "Required artifacts": "required_artifacts",
}
_TOLD = ("created_at", "updated_at")
"""What `show` writes beside what `apply` reads."""
_NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@projects.command("list")
def list_projects(
    context: typer.Context,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the projects that have a catalogue."""
    with connected(context) as client:
        most = wanted(limit, everything=everything)
        listed = items(follow(client, PROJECTS, {}, "projects", most), "projects")
        if output is Output.TABLE:
            columns = {"Project": "name", "States": "states", "Changed": "updated_at"}
            write_list(_counted(listed), output, columns)
        else:
            write_many(listed, output, ())


@projects.command()
def show(context: typer.Context, name: _NameArgument, output: OutputOption = Output.TABLE) -> None:
    """Show a project's states; what is written with -o yaml can be applied again."""
    with connected(context) as client:
        _write(client.ask("GET", [*PROJECTS, name]).body, output)


@projects.command()
def apply(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="YAML or JSON with name and states; - for stdin.")
    ],
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a file's states those of its project, after showing what changes."""
    with connected(context) as client:
        file = read_document_file(source, "states")
        name = file.value.get("name")
        if not isinstance(name, str):
            refuse(f"{source} does not say whose states these are: 'name: ...' does")
        body = {
            member: value for member, value in file.value.items() if member not in {"name", *_TOLD}
        }
        if not yes:
            _confirm(client, name, body)
        _write(_put(client, name, body, file), output)


@projects.command()
def remove(
    context: typer.Context,
    name: _NameArgument,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Forget a project's catalogue: its builds then take any state."""
    with connected(context) as client:
        path = [*PROJECTS, name]
        if not yes:
            require_yes("Forget this catalogue?", client.ask("GET", path).body, ["name", "states"])
        write_one(client.ask("DELETE", path, parameters={"confirm": "yes"}).body, output)


def _write(project: JsonObject, output: Output) -> None:
    if output is Output.TABLE:
        write_list(objects(project.get("states")), output, _COLUMNS)
    else:
        write_one(project, output)


def _put(client: "RegistryClient", name: str, body: JsonObject, file: DocumentFile) -> JsonObject:
    with file.located():
        return client.ask("PUT", [*PROJECTS, name], body=json_body(body)).body


def _confirm(client: "RegistryClient", name: str, wanted_states: JsonObject) -> None:
    before, after = _known(client, name), {"name": name, **wanted_states}
    changes: JsonObject = (
        {"added": [after]}
        if before is None
        else {"changed": [{"name": name, "before": before, "after": after}]}
    )
    write_diff(
        "project", {"added": [], "changed": [], "removed": [], **changes}, Console(stderr=True)
    )
    require_yes("Apply this?", {}, ())


def _known(client: "RegistryClient", name: str) -> JsonObject | None:
    try:
        told = client.ask("GET", [*PROJECTS, name]).body
    except Refused as refused:
        if refused.status != 404:
            raise
        say("a project that is not known yet")
        return None
    return {member: value for member, value in told.items() if member not in _TOLD}


def _counted(listed: Iterable[JsonObject]) -> Iterable[JsonObject]:
    return ({**one, "states": len(objects(one.get("states")))} for one in listed)
