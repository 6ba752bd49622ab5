"""JSON as I-JSON (RFC 7493) restricts it: one meaning for every document, or an error."""

import json
from typing import Any, NoReturn

from pydantic import JsonValue

from shared.errors import InvalidInput


def parse_strict_json(text: str | bytes, pointer: str = "") -> JsonValue:
    """Read a JSON document; `pointer` says where it stood.

    Raises InvalidInput where it is not JSON, has a member twice, holds NaN or an infinity, a
    number of too many digits, or nests too deep to be read.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"Not JSON: {error.msg} at character {error.pos}.", pointer) from None
    except RecursionError:
        raise InvalidInput("The JSON nests too deep.", pointer) from None
    except ValueError as error:
        raise InvalidInput(f"Not acceptable as JSON: {error}.", pointer) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is given more than once")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
