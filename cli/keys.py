"""`registry keys`: API keys, on the database itself, for the operator at deployment."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from pydantic import JsonValue, TypeAdapter, ValidationError

from cli.confirming import confirmed
from cli.faults import FAILED, MISUSED, fail, say, told_clearly
from cli.output import Output, write_many
from shared import bootstrap
from shared.errors import InvalidInput
from shared.models.api_keys import ApiKey, CreatedKey, KeyState, Scope
from shared.models.durations import Duration
from shared.models.ids import parse_id
from shared.models.registrations import Origin
from shared.services.key_reads import MAXIMUM_KEYS

keys = typer.Typer(help="API keys.", no_args_is_help=True)

_DURATION = TypeAdapter[timedelta](Duration)
_COLUMNS = ("key_id", "name", "scopes", "state", "created_at", "expires_at")


def _scopes(text: str) -> frozenset[Scope]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = ", ".join(Scope)
    if not names:
        raise typer.BadParameter(f"name at least one of {known}")
    try:
        return frozenset(map(Scope, names))
    except ValueError:
        raise typer.BadParameter(f"scopes are {known}, separated by commas") from None


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write it like 2030-01-31T12:00:00Z") from None


def _overlap(text: str) -> timedelta:
    try:
        return _DURATION.validate_python(text)
    except ValidationError:
        raise typer.BadParameter("write it as an ISO 8601 duration, like PT12H or P7D") from None


def _key_id(text: str) -> UUID:
    try:
        return parse_id(text)
    except InvalidInput as error:
        raise typer.BadParameter(error.summary) from None


KeyIdArgument = Annotated[UUID, typer.Argument(parser=_key_id, metavar="KEY_ID")]


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="Who or what the key is for.")],
    scopes: Annotated[frozenset[Scope], typer.Option(parser=_scopes, metavar="read,write,admin")],
    expires_at: Annotated[
        datetime | None, typer.Option(parser=_instant, metavar="ISO-8601", help="With time zone.")
    ] = None,
) -> None:
    """Make an API key and print it, the only time that it can be seen."""
    with told_clearly():
        made = bootstrap.keys().create(name, scopes, expires_at, Origin("cli:keys create"))
    _tell(made, f"created key {made.key_id} with scopes {', '.join(sorted(scopes))}")


@keys.command("list")
def list_keys(
    state: Annotated[KeyState | None, typer.Option(help="Only keys that are this now.")] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to write it.")
    ] = Output.TABLE,
) -> None:
    """List keys; nobody can tell their texts."""
    with told_clearly():
        listed = list(_all(state))
    now = datetime.now(UTC)
    write_many((_told(key, now) for key in listed), output, _COLUMNS)


@keys.command()
def expire(
    key_id: KeyIdArgument,
    at: Annotated[
        datetime | None, typer.Option(parser=_instant, metavar="ISO-8601", help="With time zone.")
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="Take the expiry away.")] = False,
) -> None:
    """Let an active key end at another instant, or never."""
    if never == (at is not None):
        fail(MISUSED, "give either --at or --never")
    with told_clearly():
        changed = bootstrap.keys().change_expiry(key_id, at, Origin("cli:keys expire"))
    say(f"key {key_id} expires {_written(changed.expires_at) or 'never'}")


@keys.command()
def revoke(
    key_id: KeyIdArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End a key at once and for good."""
    if not yes and not sys.stdin.isatty():
        fail(MISUSED, "revoking cannot be undone: say --yes")
    if not yes and not confirmed(f"Revoke key {key_id} for good?"):
        fail(FAILED, "nothing was changed")
    with told_clearly():
        revoked = bootstrap.keys().revoke(key_id, Origin("cli:keys revoke"))
    say(f"key {key_id} is revoked since {_written(revoked.revoked_at)}")


@keys.command()
def rotate(
    key_id: KeyIdArgument,
    overlap: Annotated[
        timedelta,
        typer.Option(parser=_overlap, metavar="ISO-8601", help="How long the old key goes on."),
    ] = "P1D",  # pyright: ignore[reportArgumentType] - the parser is given defaults as text
) -> None:
    """Make a key of the same name, scopes and lifetime, and print it; the old one will end."""
    with told_clearly():
        service = bootstrap.keys()
        made = service.rotate(key_id, overlap, Origin("cli:keys rotate"))
        ending = service.get(key_id)
    _tell(made, f"key {made.key_id} replaces {key_id}, which ends {_written(ending.expires_at)}")


def _tell(made: CreatedKey, message: str) -> None:
    say(message)
    typer.echo(made.text)


def _all(state: KeyState | None) -> Iterator[ApiKey]:
    page = bootstrap.keys().list_keys(state, limit=MAXIMUM_KEYS)
    yield from page.keys
    while page.next:
        page = bootstrap.keys().list_keys(state, limit=MAXIMUM_KEYS, cursor=page.next)
        yield from page.keys


def _told(key: ApiKey, now: datetime) -> dict[str, JsonValue]:
    return key.model_dump(mode="json") | {"state": key.state_at(now).value}


def _written(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat(timespec="seconds")
