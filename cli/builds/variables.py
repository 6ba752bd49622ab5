"""`bldst variable`: what whoever resumes a build must know."""

import sys
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from pydantic import JsonValue

from cli.arguments import YesOption, given
from cli.builds.arguments import BuildArgument, OutputOption, group
from cli.builds.asking import of_build, require_yes
from cli.builds.configuration import connected
from cli.builds.writing import write_list
from cli.confirming import asked_secret
from cli.exchange import JsonObject, json_body
from cli.misuse import refuse
from cli.output import Output, write_one
from cli.pages import objects

if TYPE_CHECKING:
    from cli.client import RegistryClient

variables = group("Variables of builds: what whoever resumes one must know.")

_COLUMNS = {
    "Name": "name",
    "Value": "value",
    "Set": "is_set",
    "Sensitive": "sensitive",
    "Required": "required_for_resume",
}
_MAXIMUM_BYTES = 1_048_576
"""What one request may hold."""
_NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@variables.command("set")
def set_variable(
    context: typer.Context,
    build_id: BuildArgument,
    name: _NameArgument,
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE|-]", help="- reads all of stdin; without, it stays."),
    ] = None,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Only that it is set is kept; the value is read.")
    ] = False,
    required: Annotated[
        bool | None,
        typer.Option(
            "--required-for-resume/--no-required-for-resume", help="No resume while it is not set."
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set a variable of a build, or declare it; what is not said stays as it was."""
    with connected(context) as client:
        known = _known(client, build_id, name)
        is_sensitive = sensitive or known.get("sensitive") is True
        if is_sensitive and value not in {None, "-"}:
            refuse("others can read command lines: give the value on stdin, with - in its place")
        if value == "-" or (sensitive and value is None):
            value = _read_value(is_sensitive=is_sensitive)
        body = given(
            value=_kept_value(known) if value is None else value,
            sensitive=is_sensitive or None,
            required_for_resume=known.get("required_for_resume") if required is None else required,
        )
        path = of_build(build_id, "variables", name)
        write_one(client.ask("PUT", path, body=json_body(body)).body, output)


@variables.command("list")
def list_variables(
    context: typer.Context, build_id: BuildArgument, output: OutputOption = Output.TABLE
) -> None:
    """List a build's variables; what sensitive ones hold is never told."""
    with connected(context) as client:
        write_list(_all(client, build_id), output, _COLUMNS)


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


def _all(client: "RegistryClient", build_id: UUID) -> list[JsonObject]:
    told = client.ask("GET", of_build(build_id, "variables")).body
    return objects(told.get("variables"))


def _known(client: "RegistryClient", build_id: UUID, name: str) -> JsonObject:
    unknown: JsonObject = {}
    return next((one for one in _all(client, build_id) if one.get("name") == name), unknown)


def _kept_value(known: JsonObject) -> JsonValue:
    """Of a sensitive one only that there is a value is known, and any says so again."""
    if known.get("sensitive") is True:
        return "" if known.get("is_set") is True else None
    return known.get("value")


def _read_value(*, is_sensitive: bool) -> str:
    """All of stdin but one newline at its end, or what is typed unseen. Raises Misuse."""
    if sys.stdin.isatty():
        value = asked_secret("Value")
    else:
        content = sys.stdin.buffer.read(_MAXIMUM_BYTES + 1)
        if len(content) > _MAXIMUM_BYTES:
            refuse("stdin holds more than a variable may")
        try:
            value = content.decode().removesuffix("\n")
        except UnicodeDecodeError:
            refuse("stdin is not UTF-8")
    if is_sensitive and not value:
        refuse("no value was given")
    return value
