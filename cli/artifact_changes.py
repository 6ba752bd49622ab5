"""`registry artifacts`: changing what is registered; what destroys asks first."""

import sys
from time import sleep
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text

from cli.arguments import IdArgument, IfMatchOption, OutputOption, YesOption, merge
from cli.confirming import confirmed
from cli.connecting import ADMIN, ARTIFACTS, connected
from cli.exchange import JsonObject, Refused, json_body
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, cell, write_one
from cli.strict_input import parse_strict_json
from shared.models.tiers import ColderTier, RehydratePriority, WarmerTier

if TYPE_CHECKING:
    from cli.client import RegistryClient

changes = typer.Typer()

_CONFIRMED = {"confirm": "yes"}
_POLL_SECONDS = 10
_SHOWN = ["client_type", "client_refs", "revision", "status", "container", "blob_path"]


@changes.command()
def delete(
    context: typer.Context,
    artifact_id: IdArgument,
    yes: YesOption = False,
    if_match: IfMatchOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set an artifact's tombstone; record, chain and bytes stay. It cannot be undone."""
    with connected(context) as client:
        deed = "Delete it: a tombstone for good, its asset without a current artifact?"
        tag = _confirm(client, artifact_id, deed, yes=yes, if_match=if_match)
        path = [*ADMIN, str(artifact_id)]
        answer = client.ask("DELETE", path, parameters=_CONFIRMED, headers=_condition(tag))
        write_one(answer.body, output)


@changes.command()
def archive(
    context: typer.Context,
    artifact_id: IdArgument,
    tier: Annotated[
        ColderTier, typer.Option(case_sensitive=False, help="Where the bytes are to lie.")
    ] = ColderTier.ARCHIVE,
    yes: YesOption = False,
    if_match: IfMatchOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Put an artifact's bytes into a colder tier; its asset then has no current artifact."""
    with connected(context) as client:
        deed = f"Archive it: its bytes into tier {tier}, its asset without a current artifact?"
        tag = _confirm(client, artifact_id, deed, yes=yes, if_match=if_match)
        path, body = [*ADMIN, str(artifact_id), "archive"], json_body({"target_tier": tier})
        write_one(client.ask("POST", path, body=body, headers=_condition(tag)).body, output)


@changes.command()
def purge(
    context: typer.Context,
    artifact_id: IdArgument,
    yes: YesOption = False,
    if_match: IfMatchOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Remove the bytes of a deleted artifact; its tombstone stays. It cannot be undone."""
    with connected(context) as client:
        deed = "Purge it: its bytes are removed for good?"
        tag = _confirm(client, artifact_id, deed, yes=yes, if_match=if_match)
        path = [*ADMIN, str(artifact_id), "purge"]
        answer = client.ask("POST", path, parameters=_CONFIRMED, headers=_condition(tag))
        write_one(answer.body, output)


@changes.command()
def rehydrate(
    context: typer.Context,
    artifact_id: IdArgument,
    tier: Annotated[
        WarmerTier, typer.Option(case_sensitive=False, help="Where the bytes are to lie.")
    ] = WarmerTier.HOT,
    priority: Annotated[
        RehydratePriority, typer.Option(case_sensitive=False, help="How soon, from Archive.")
    ] = RehydratePriority.STANDARD,
    wait: Annotated[bool, typer.Option("--wait", help="Until they are back: maybe hours.")] = False,
    if_match: IfMatchOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Bring an archived artifact's bytes back to where they can be read; it stays archived."""
    with connected(context) as client:
        path = [*ADMIN, str(artifact_id), "rehydrate"]
        body = json_body({"target_tier": tier, "priority": priority})
        artifact = client.ask("POST", path, body=body, headers=_condition(if_match)).body
        write_one(_await_bytes(client, artifact) if wait else artifact, output)


@changes.command()
def metadata(
    context: typer.Context,
    artifact_id: IdArgument,
    values: Annotated[
        list[str],
        typer.Option("--set", metavar="NAME=TEXT|JSON", help="A text, or a JSON object of any."),
    ],
    if_match: IfMatchOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set metadata of an artifact name by name; what is not named stays."""
    with connected(context) as client:
        body = json_body({"metadata": merge([_read_value(value) for value in values], "--set")})
        path = [*ARTIFACTS, str(artifact_id)]
        write_one(client.ask("PATCH", path, body=body, headers=_condition(if_match)).body, output)


def _await_bytes(client: "RegistryClient", artifact: JsonObject) -> JsonObject:
    """The artifact once nothing of it is on its way; ends the command if it did not come back."""
    to = artifact.get("rehydrating_to")
    path = [*ARTIFACTS, str(artifact.get("artifact_id"))]
    with Console(stderr=True).status(Text(f"on the way to the tier {cell(to)}")):
        while artifact.get("rehydrating_to") is not None:
            sleep(_POLL_SECONDS)
            artifact = client.ask("GET", path).body
    if artifact.get("storage_tier") == ColderTier.ARCHIVE:
        fail(FAILED, "the bytes did not come back: the audit trail says why")
    return artifact


def _read_value(text: str) -> str | JsonObject:
    if not text.lstrip().startswith("{"):
        return text
    try:
        value = parse_strict_json(text)
    except ValueError as error:
        refuse(f"--set holds no JSON: {error}")
    return value if isinstance(value, dict) else text


def _condition(tag: str | None) -> dict[str, str]:
    return {} if tag is None else {"If-Match": tag}


def _confirm(
    client: "RegistryClient", artifact_id: UUID, deed: str, *, yes: bool, if_match: str | None
) -> str | None:
    """Ask, and give the ETag of what was shown: only that state is then changed."""
    if yes:
        return if_match
    if not sys.stdin.isatty():
        refuse("this cannot be undone, and there is no terminal to ask at: say --yes")
    shown = _show(client, artifact_id)
    if not confirmed(deed):
        fail(FAILED, "nothing was changed")
    return if_match or shown


def _show(client: "RegistryClient", artifact_id: UUID) -> str | None:
    say(f"artifact {artifact_id}")
    try:
        answer = client.ask("GET", [*ARTIFACTS, str(artifact_id)])
    except Refused as refused:
        if refused.status != 403:
            raise
        say("what it is cannot be shown: the key does not carry the scope read")
        return None
    for name in _SHOWN:
        say(f"  {name}: {cell(answer.body.get(name))}")
    return answer.entity_tag
