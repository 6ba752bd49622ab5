"""What holds for the query string of every guarded route."""

from collections import Counter
from collections.abc import Collection

from fastapi import Request

from shared.errors import InvalidInput
from shared.models.pointers import json_pointer


def refuse_repeated(request: Request) -> None:
    """Refuse a parameter given twice: whichever value was taken, it would be a guess."""
    if not request.scope["query_string"]:
        return
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if times > 1:
            raise InvalidInput("A parameter is given more than once.", json_pointer(name))


_OF_THE_HOST = {"code", "clientId"}
"""A function's key and its name, which the host reads and leaves where they are."""


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Refuse a parameter that is not known: `dryrun=true` would change, `projct=x` find, all."""
    if not request.scope["query_string"]:
        return
    unknown = sorted(request.query_params.keys() - known - _OF_THE_HOST)
    if unknown:
        raise InvalidInput("There is no such parameter.", json_pointer(unknown[0]))
