"""`registry keys`: API keys, on the database itself, for the operator at deployment."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from pydantic import JsonValue, TypeAdapter, ValidationError

from cli.confirming import confirmed
from cli.faults import FAILED, MISUSED, fail, say
from cli.output import Output, write_many
from shared.errors import InvalidInput
from shared.models.api_keys import ApiKey, CreatedKey, KeyState, Scope
from shared.models.attempts import Attempt, Doing
from shared.models.durations import Duration
from shared.models.ids import parse_id
from shared.models.registrations import Origin

if TYPE_CHECKING:
    from shared.services.api_keys import ApiKeyService

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
    origin = Origin("cli:keys create")
    with _service(Attempt(Doing("key_created", "create"), origin)) as service:
        made = service.create(name, scopes, expires_at, origin)
    _tell(made, f"created key {made.key_id} with scopes {', '.join(sorted(scopes))}")


@keys.command("list")
def list_keys(
    state: Annotated[KeyState | None, typer.Option(help="Only keys that are this now.")] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to write it.")
    ] = Output.TABLE,
) -> None:
    """List keys; nobody can tell their texts."""
    with _service() as service:
        listed = list(_all(service, state))
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
    origin = Origin("cli:keys expire")
    with _service(_attempt("key_expiry_changed", "change", origin, key_id)) as service:
        changed = service.change_expiry(key_id, at, origin)
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
    origin = Origin("cli:keys revoke")
    with _service(_attempt("key_revoked", "revoke", origin, key_id)) as service:
        revoked = service.revoke(key_id, origin)
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
    origin = Origin("cli:keys rotate")
    with _service(_attempt("key_rotated", "rotate", origin, key_id)) as service:
        made = service.rotate(key_id, overlap, origin)
        ending = service.get(key_id)
    _tell(made, f"key {made.key_id} replaces {key_id}, which ends {_written(ending.expires_at)}")


def _service(attempt: Attempt | None = None) -> AbstractContextManager["ApiKeyService"]:
    from cli.database import key_service  # noqa: PLC0415 - slow: who asks for help pays nothing

    return key_service(attempt)


def _attempt(operation: str, action: str, origin: Origin, key_id: UUID) -> Attempt:
    """What the audit trail is told if it comes to nothing."""
    return Attempt(Doing(operation, action), origin, details={"key_id": str(key_id)})


def _tell(made: CreatedKey, message: str) -> None:
    say(message)
    typer.echo(made.text)


def _all(service: "ApiKeyService", state: KeyState | None) -> Iterator[ApiKey]:
    page = service.list_keys(state)
    yield from page.keys
    while page.next:
        page = service.list_keys(state, cursor=page.next)
        yield from page.keys


def _told(key: ApiKey, now: datetime) -> dict[str, JsonValue]:
    return key.model_dump(mode="json") | {"state": key.state_at(now).value}


def _written(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat(timespec="seconds")
