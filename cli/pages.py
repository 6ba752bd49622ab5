"""Lists that come in pages, followed to where they end or were asked to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import JsonValue

from cli.exchange import JsonObject, NoRegistry
from cli.faults import say
from cli.misuse import refuse

if TYPE_CHECKING:
    from cli.client import RegistryClient

_MAXIMUM_PAGE = 1000
_DEFAULT_LIMIT = 100


def wanted(limit: int | None, *, everything: bool) -> int | None:
    """How many are asked for; None for all of them. Raises Misuse."""
    if everything and limit is not None:
        refuse("give either --limit or --all")
    return None if everything else limit or _DEFAULT_LIMIT


def follow(
    client: "RegistryClient",
    segments: Sequence[str],
    parameters: Mapping[str, str],
    member: str,
    limit: int | None,
    *,
    is_bare: bool = False,
) -> Iterator[JsonObject]:
    """The pages of a list, until `limit` of its `member` were seen; says where more follow.

    Of bare lists, the member is `items`; without a limit, all of them are listed.
    """
    left, cursor = limit, None
    while True:
        size = _MAXIMUM_PAGE if left is None else min(left, _MAXIMUM_PAGE)
        place = {} if cursor is None else {"cursor": cursor}
        asked = {**parameters, "limit": str(size), **place}
        page = client.ask("GET", segments, parameters=asked, is_list=is_bare).body
        yield page
        cursor = next_cursor(page, cursor)
        left = None if left is None else left - len(objects(page.get(member)))
        if cursor is None:
            return
        if left is not None and left <= 0:
            say(f"there are more: raise --limit, or {'leave it out' if is_bare else 'say --all'}")
            return


def items(pages: Iterable[JsonObject], member: str) -> Iterator[JsonObject]:
    """What the pages hold."""
    for page in pages:
        yield from objects(page.get(member))


def objects(value: JsonValue) -> list[JsonObject]:
    """A list of objects. Raises NoRegistry where it is none."""
    if not isinstance(value, list):
        raise NoRegistry("the answer does not hold the list that was asked for")
    return [item for item in value if isinstance(item, dict)]


def next_cursor(page: JsonObject, before: str | None) -> str | None:
    """Where the next page is. Raises NoRegistry where it would be the same again."""
    following = page.get("next")
    if following is not None and (not isinstance(following, str) or following == before):
        raise NoRegistry("the answer leads to no other page")
    return following
