"""Client references in a query string."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import JsonValue

from functions.http.strict_json import parse_strict_json
from shared.errors import InvalidInput
from shared.models.pointers import json_pointer

_POINTER = "/client_refs"

References = dict[str, JsonValue]


def references_beside(
    *others: str,
) -> Callable[..., Coroutine[Any, Any, References]]:
    """Reads every parameter but these as a reference with a text value, and `client_refs`.

    A function key, which Azure Functions expects in `code`, is never a reference.
    """
    not_references = frozenset({"client_type", "client_refs", "code", *others})

    async def read(
        request: Request,
        client_refs: Annotated[
            str | None,
            Query(
                description="References as a JSON object, for those whose values are not text.",
                json_schema_extra={"contentMediaType": "application/json"},
                openapi_examples={
                    "numbers": {"value": '{"tile": 7, "is_final": true}'},
                },
            ),
        ] = None,
    ) -> References:
        given = request.query_params.items()
        texts: References = {name: text for name, text in given if name not in not_references}
        typed = {} if client_refs is None else _parse_references(client_refs)
        for name in texts.keys() & typed.keys():
            raise InvalidInput("A reference is given more than once.", json_pointer(name))
        return {**texts, **typed}

    return read


PagedReferences = Annotated[References, Depends(references_beside("limit", "cursor"))]
"""Every parameter that has no other meaning in a list that comes in pages."""


def _parse_references(text: str) -> References:
    refs = parse_strict_json(text, _POINTER)
    if not isinstance(refs, dict):
        raise InvalidInput("client_refs is not a JSON object.", _POINTER)
    return refs
