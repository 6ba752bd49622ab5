"""The commands of a document, whatever it holds; every change is shown before it is made."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cli.arguments import OutputOption, YesOption
from cli.confirming import confirmed
from cli.connecting import connected
from cli.document_changes import are_any, summary, write_diff
from cli.document_files import DocumentFile, read_document_file
from cli.exchange import Answer, JsonObject, NoRegistry, json_body
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, write_many, write_one
from cli.pages import objects

if TYPE_CHECKING:
    from cli.client import RegistryClient

FILE_HELP = "A file of YAML or JSON, or - for stdin."

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


class FileForm(StrEnum):
    """How a file is written."""

    YAML = "yaml"
    JSON = "json"


@dataclass(frozen=True)
class Document:
    """What tells one kind of documents from others."""

    noun: str
    plural: str
    """Also the member that lists the items."""
    path: Sequence[str]
    columns: Sequence[str]
    """Of the table that lists them."""
    list_help: str
    warn: Callable[[JsonObject], Iterable[str]] = lambda _: ()
    """What somebody is to know of changes before they are made."""


def add_commands(app: typer.Typer, document: Document) -> None:
    """Add `list`, `show`, `export` and `apply`."""
    _add_list(app, document)
    _add_show(app, document)
    _add_export(app, document)
    _add_apply(app, document)


def _add_list(app: typer.Typer, document: Document) -> None:
    @app.command("list", help=document.list_help)
    def list_items(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
        with connected(context) as client:
            listed = objects(client.ask("GET", document.path).body.get(document.plural))
            write_many(sorted(listed, key=_rank), output, document.columns)

    del list_items


def _add_show(app: typer.Typer, document: Document) -> None:
    @app.command(help=f"Show one {document.noun}.")
    def show(
        context: typer.Context, name: NameArgument, output: OutputOption = Output.TABLE
    ) -> None:
        with connected(context) as client:
            write_one(client.ask("GET", [*document.path, name]).body, output)

    del show


def _add_export(app: typer.Typer, document: Document) -> None:
    @app.command(
        help=f"Write the file of the {document.plural} that there are; applying it changes nothing."
    )
    def export(
        context: typer.Context,
        output: Annotated[
            FileForm, typer.Option("--output", "-o", help="How to write it.")
        ] = FileForm.YAML,
    ) -> None:
        with connected(context) as client:
            listed = client.ask("GET", document.path).body.get(document.plural)
            write_one({document.plural: listed}, Output(output))

    del export


def _add_apply(app: typer.Typer, document: Document) -> None:
    @app.command(
        "apply",
        help=f"Make a file's {document.plural} all that there are, after showing what changes.\n\n"
        "What is applied is what was shown: where somebody else makes changes meanwhile, nothing "
        "is.",
    )
    def apply_file(
        context: typer.Context,
        source: Annotated[str, typer.Argument(metavar="FILE", help=FILE_HELP)],
        yes: YesOption = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
        ] = False,
        output: OutputOption = Output.TABLE,
    ) -> None:
        with connected(context) as client:
            if not yes and not dry_run and not sys.stdin.isatty():
                refuse("there is no terminal to ask at: say --yes, or --dry-run to look")
            file = read_document_file(source, document.plural)
            told = _put(client, document, file, {"dry_run": "true"})
            if dry_run:
                _write_plan(document, told.body, output)
                return
            _confirm(document, told.body, yes=yes)
            _write_done(_put_as_seen(client, document, file, told), output)

    del apply_file


def _put_as_seen(
    client: "RegistryClient", document: Document, file: DocumentFile, told: Answer
) -> JsonObject:
    """Also where nothing is to change: that it still is as shown is what the command says then."""
    if told.entity_tag is None:
        raise NoRegistry(f"the answer does not say which {document.plural} were compared with")
    return _put(client, document, file, {}, {"If-Match": told.entity_tag}).body


def _put(
    client: "RegistryClient",
    document: Document,
    file: DocumentFile,
    parameters: dict[str, str],
    headers: dict[str, str] | None = None,
) -> Answer:
    body = json_body(file.value)
    with file.located():
        return client.ask("PUT", document.path, parameters=parameters, body=body, headers=headers)


def _write_plan(document: Document, changes: JsonObject, output: Output) -> None:
    if output is Output.TABLE:
        write_diff(document.noun, changes, Console())
    else:
        write_one(changes, output)
    _say_warnings(document, changes)
    if not are_any(changes):
        say("nothing would change")


def _write_done(changes: JsonObject, output: Output) -> None:
    write_one(summary(changes) if output is Output.TABLE else changes, output)


def _confirm(document: Document, changes: JsonObject, *, yes: bool) -> None:
    if not are_any(changes):
        say("nothing changes")
        return
    write_diff(document.noun, changes, Console(stderr=True))
    _say_warnings(document, changes)
    if not yes and not confirmed("Apply these changes?"):
        fail(FAILED, "nothing was changed")


def _say_warnings(document: Document, changes: JsonObject) -> None:
    for warning in document.warn(changes):
        say(warning)


def _rank(item: JsonObject) -> tuple[float, str]:
    priority = item.get("priority")
    return (priority if isinstance(priority, int) else 0, str(item.get("name")))
