"""Client references in a query string."""

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import JsonValue

from functions.http.pointers import json_pointer
from functions.http.strict_json import parse_strict_json
from shared.errors import InvalidInput

_NOT_REFERENCES = frozenset({"client_type", "client_refs", "limit", "cursor", "code"})
"""`code` is where Azure Functions expects a function key."""
_POINTER = "/client_refs"


async def _queried_references(
    request: Request,
    client_refs: Annotated[
        str | None,
        Query(description="References as a JSON object, for those whose values are not text."),
    ] = None,
) -> dict[str, JsonValue]:
    texts = {
        name: value for name, value in request.query_params.items() if name not in _NOT_REFERENCES
    }
    typed = {} if client_refs is None else _parse_references(client_refs)
    for name in texts.keys() & typed.keys():
        raise InvalidInput("A reference is given more than once.", json_pointer(name))
    return {**texts, **typed}


QueriedReferences = Annotated[dict[str, JsonValue], Depends(_queried_references)]
"""Every parameter that has no other meaning, as text; with those of `client_refs`."""


def _parse_references(text: str) -> dict[str, JsonValue]:
    refs = parse_strict_json(text, _POINTER)
    if not isinstance(refs, dict):
        raise InvalidInput("client_refs is not a JSON object.", _POINTER)
    return refs
