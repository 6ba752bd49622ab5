"""Details of events as the audit trail keeps them: read alike by all, and not too large."""

import hashlib
import json
from decimal import Decimal
from typing import Any, cast

import rfc8785
from pydantic import JsonValue

MAXIMUM_BYTES = 256 * 1024
"""Of details as they are kept: an entity holds a mebibyte in UTF-16."""

_DEEPEST = 150
"""Levels that are kept: pydantic reads some 200, and the event around them is one."""
_LARGEST_INTEGER = 2**53 - 1
"""What every reader of JSON reads alike (RFC 7493, section 2.2)."""
_LONGEST_INTEGER = len(str(-_LARGEST_INTEGER))


def keepable_details(told: str) -> dict[str, JsonValue]:
    """An object, as PostgreSQL writes it; only its size and hash where it cannot be kept.

    Raises nothing, whatever it holds: one event would keep all that follow it from the trail.
    """
    try:
        read = json.loads(told, parse_float=Decimal, parse_int=_integer)
        details = cast("dict[str, JsonValue]", _portable(read))
    except (ValueError, RecursionError):
        return _left_out(told.encode())
    canonical = rfc8785.dumps(cast("Any", details))
    return details if len(canonical) <= MAXIMUM_BYTES else _left_out(canonical)


def _portable(value: Any, depth: int = 0) -> JsonValue:
    """A value that every reader of JSON reads alike: other numbers are told as text."""
    if depth > _DEEPEST:
        raise ValueError("it nests deeper than some read")
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _portable(item, depth + 1) for key, item in items}
    if isinstance(value, list):
        return [_portable(item, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) <= _LARGEST_INTEGER else str(value)
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    return value


def _integer(digits: str) -> int | str:
    # Python refuses to read thousands of digits, to which PostgreSQL does not object.
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _left_out(told: bytes) -> dict[str, JsonValue]:
    return {"left_out_bytes": len(told), "left_out_sha256": hashlib.sha256(told).hexdigest()}
