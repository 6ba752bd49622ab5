"""Conditional requests (RFC 9110, section 13): only in the state, or only if no longer in it."""

import re
from collections.abc import Collection
from typing import Annotated

from fastapi import Depends, Header, Request

from shared.errors import InvalidInput

ANY = "*"

_TAG = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_ONE_TAG = re.compile(_TAG)
_TAGS = re.compile(rf"[ \t]*{_TAG}[ \t]*(?:,[ \t]*(?:{_TAG}[ \t]*)?)*")


def is_match(tag: str, tags: Collection[str] | None) -> bool:
    """Whether a condition names this state; there may be no condition, which names none."""
    return tags is not None and (ANY in tags or tag in tags)


def read_if_none_match(request: Request) -> frozenset[str] | None:
    """Entity tags of states that the caller has at hand; None where it has none."""
    if "if-none-match" not in request.headers:
        return None
    return frozenset(tag for _, tag in _read_tags(request, "If-None-Match"))


async def _if_match(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(description="Entity tags: nothing changes unless the artifact's is one of them."),
    ] = None,
) -> frozenset[str] | None:
    if if_match is None:
        return None
    # Strong comparison: a weak tag equals none, and a condition that none can meet stays one.
    return frozenset(tag for is_weak, tag in _read_tags(request, "If-Match") if not is_weak)


def _read_tags(request: Request, name: str) -> list[tuple[bool, str]]:
    """The tags of a header without their quotes, and whether each is weak; `*` for any."""
    text = ",".join(request.headers.getlist(name))
    if text.strip() == ANY:
        return [(False, ANY)]
    if not _TAGS.fullmatch(text):
        raise InvalidInput("Not a list of entity tags.", f"/{name}")
    # Quoted, an asterisk is an ordinary tag, and one that nothing here has.
    return [(bool(weak), tag) for weak, tag in _ONE_TAG.findall(text) if tag != ANY]


IfMatch = Annotated[frozenset[str] | None, Depends(_if_match)]
"""Entity tags that a change is conditional on; None where it is not."""

IF_NONE_MATCH = {
    "name": "if-none-match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "Entity tags: no body unless the artifact's is another.",
}
"""Only described: a declared parameter costs a short request what it is read with."""
