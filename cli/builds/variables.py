"""`bldst variable`: what whoever resumes a build must know."""

from typing import Annotated

import typer

from cli.arguments import YesOption, given
from cli.builds.arguments import BuildArgument, OutputOption, group
from cli.builds.asking import of_build, require_yes
from cli.builds.configuration import connected
from cli.builds.writing import write_list
from cli.confirming import asked_secret
from cli.exchange import json_body
from cli.misuse import refuse
from cli.output import Output, write_one
from cli.pages import objects

variables = group("Variables of builds: what whoever resumes one must know.")

_COLUMNS = {
    "Name": "name",
    "Value": "value",
    "Set": "is_set",
    "Sensitive": "sensitive",
    "Required": "required_for_resume",
}
_NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@variables.command("set")
def set_variable(
    context: typer.Context,
    build_id: BuildArgument,
    name: _NameArgument,
    value: Annotated[
        str | None, typer.Argument(metavar="[VALUE|-]", help="- reads it; without, only declared.")
    ] = None,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Only that it is set is kept; the value is read.")
    ] = False,
    required: Annotated[
        bool, typer.Option("--required-for-resume", help="No resume while it is not set.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set a variable of a build, or declare it."""
    with connected(context) as client:
        if sensitive and value not in {None, "-"}:
            refuse("others can read command lines: give the value on stdin, with - in its place")
        body = given(
            value=asked_secret("Value") if value == "-" else value,
            sensitive=sensitive or None,
            required_for_resume=required or None,
        )
        path = of_build(build_id, "variables", name)
        write_one(client.ask("PUT", path, body=json_body(body)).body, output)


@variables.command("list")
def list_variables(
    context: typer.Context, build_id: BuildArgument, output: OutputOption = Output.TABLE
) -> None:
    """List a build's variables; what sensitive ones hold is never told."""
    with connected(context) as client:
        told = client.ask("GET", of_build(build_id, "variables")).body
        write_list(objects(told.get("variables")), output, _COLUMNS)


@variables.command()
def remove(
    context: typer.Context,
    build_id: BuildArgument,
    name: _NameArgument,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Forget a variable of a build."""
    with connected(context) as client:
        if not yes:
            require_yes("Forget this variable?", {"name": name}, ["name"])
        write_one(client.ask("DELETE", of_build(build_id, "variables", name)).body, output)
