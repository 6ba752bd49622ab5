"""Requests that many commands of `bldst` make."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from cli.confirming import confirmed
from cli.exchange import JsonObject, json_body
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import cell
from cli.pages import follow, items

if TYPE_CHECKING:
    from cli.client import RegistryClient

BUILDS = ("builds",)


def of_build(build_id: UUID, *segments: str | UUID) -> list[str]:
    """The path of something of a build."""
    return [*BUILDS, str(build_id), *map(str, segments)]


def post(
    client: "RegistryClient", path: Sequence[str], body: JsonObject, key: str | None
) -> JsonObject:
    """Send it with a key, so that it may be sent again: nothing is done twice."""
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.ask("POST", path, body=json_body(body), headers=headers).body


def bare_list(
    client: "RegistryClient", path: Sequence[str], asked: dict[str, str], limit: int | None
) -> Iterator[JsonObject]:
    """What a list without a frame holds, page after page."""
    return items(follow(client, path, asked, "items", limit, is_bare=True), "items")


def require_yes(deed: str, shown: JsonObject, members: Iterable[str]) -> None:
    """Show what is at stake and ask; ends the command where nobody says yes. Raises Misuse."""
    if not sys.stdin.isatty():
        refuse("there is no terminal to ask at: say --yes")
    for name in members:
        if shown.get(name) is not None:
            say(f"  {name}: {cell(shown.get(name))}")
    if not confirmed(deed):
        fail(FAILED, "nothing was changed")
