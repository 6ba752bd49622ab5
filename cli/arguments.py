"""Arguments and options that several commands take."""

import re
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic import JsonValue

from cli.exchange import JsonObject, json_body
from cli.misuse import refuse
from cli.output import Output
from cli.strict_input import parse_strict_json
from shared.errors import InvalidInput
from shared.models.content_hash import ContentHash, parse_content_hash
from shared.models.ids import parse_id

_ENTITY_TAG = re.compile(r'"?([\x21\x23-\x7e]+)"?')


def id_of(text: str) -> UUID:
    """An id, as a parser of options; `typer.BadParameter` for anything else."""
    try:
        return parse_id(text)
    except InvalidInput as error:
        raise typer.BadParameter(error.summary) from None


def _hash(text: str) -> ContentHash:
    try:
        return parse_content_hash(text)
    except (InvalidInput, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter("write it with its time zone, like 2030-01-31T12:00:00Z")
    return instant.isoformat()


def _day_or_instant(text: str) -> str:
    try:
        return f"{date.fromisoformat(text).isoformat()}T00:00:00Z"
    except ValueError:
        return _instant(text)


def _object(text: str) -> JsonObject:
    try:
        value = parse_strict_json(text)
    except ValueError as error:
        raise typer.BadParameter(f"this is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise typer.BadParameter("write a JSON object, like '{\"name\": 1}'")
    return value


def _entity_tag(text: str) -> str:
    tag = _ENTITY_TAG.fullmatch(text)
    if tag is None:
        raise typer.BadParameter("write the ETag that the registry gave")
    return f'"{tag[1]}"'


IdArgument = Annotated[
    UUID, typer.Argument(parser=id_of, metavar="ARTIFACT_ID", help="A UUID or a ULID.")
]
FailureIdArgument = Annotated[
    UUID, typer.Argument(parser=id_of, metavar="FAILURE_ID", help="As the list tells it.")
]
FailureIdsArgument = Annotated[
    list[UUID], typer.Argument(parser=id_of, metavar="FAILURE_ID", help="As the list tells them.")
]
HoldIdArgument = Annotated[UUID, typer.Argument(parser=id_of, metavar="HOLD_ID")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to write the result.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
LimitOption = Annotated[int | None, typer.Option(min=1, help="How many at most; by default 100.")]
AllOption = Annotated[bool, typer.Option("--all", help="All of them, as they come.")]
IfMatchOption = Annotated[
    str | None,
    typer.Option(parser=_entity_tag, metavar="ETAG", help="Only in the state of this ETag."),
]
ClientTypeOption = Annotated[str, typer.Option(help="Whose artifacts.")]
AnyClientOption = Annotated[
    str | None, typer.Option("--client-type", help="Only this client's artifacts.")
]
RefOption = Annotated[
    list[str] | None, typer.Option("--ref", metavar="NAME=TEXT", help="A reference; repeatable.")
]
RefsOption = Annotated[
    dict[str, JsonValue] | None,
    typer.Option("--refs", parser=_object, metavar="JSON", help="References of any type."),
]
HashOption = Annotated[
    str | None,
    typer.Option("--hash", parser=_hash, metavar="HASH", help="SHA-256 or multihash, in hex."),
]
IdempotencyKeyOption = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="The same again does nothing twice."),
]
InstantOption = Annotated[str | None, typer.Option(parser=_instant, metavar="ISO-8601")]
DayOption = Annotated[
    str, typer.Option(parser=_day_or_instant, metavar="DATE", help="A day (UTC), or an instant.")
]
ObjectOption = Annotated[dict[str, JsonValue] | None, typer.Option(parser=_object, metavar="JSON")]


def references(named: list[str] | None, typed: JsonObject | None) -> JsonObject:
    """Client references out of `--ref` and `--refs`. Raises Misuse where a name comes twice."""
    return merge([*(named or []), *([] if typed is None else [typed])], "--ref")


def merge(parts: list[str | JsonObject] | list[str], option: str) -> JsonObject:
    """One object out of `name=text` and objects. Raises Misuse where a name comes twice."""
    merged: JsonObject = {}
    for part in parts:
        values = part if isinstance(part, dict) else _named(part, option)
        for name in values.keys() & merged.keys():
            refuse(f"{option} names {name} twice")
        merged |= values
    return merged


def given(**values: JsonValue) -> JsonObject:
    """What was said: what was not is not sent, so that the registry's own defaults count."""
    return {name: value for name, value in values.items() if value is not None}


def query(**values: str | int | bool | None) -> dict[str, str]:
    """Likewise, as parameters of a query."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None
    }


def as_text(value: JsonObject) -> str:
    """JSON as a parameter of a query."""
    return json_body(value).decode()


def _named(text: str, option: str) -> JsonObject:
    name, equals, value = text.partition("=")
    if not name or not equals:
        refuse(f"{option} is written as NAME=TEXT")
    return {name: value}
