"""Client references: the JSON object by which a client knows an asset."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, cast

from pydantic import AfterValidator, JsonValue

from shared.errors import InvalidInput
from shared.models.text import keepable

MAXIMUM_BYTES = 8192
MAXIMUM_DEPTH = 16


def canonical_refs(refs: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The form under which two spellings of one identity are equal.

    Key order does not matter (the database sorts keys), types do: `1`, `"1"` and `true` differ,
    while `1` and `1.0` are one number.

    Raises InvalidInput for `{}`, for values that JSON or PostgreSQL cannot hold (NaN, infinities,
    NUL characters, lone surrogates), and beyond 8 KiB or 16 levels.
    """
    if not refs:
        raise InvalidInput("client_refs must name at least one reference.", "/client_refs")
    canonical = cast("dict[str, JsonValue]", _canonical(dict(refs), 1))
    if len(json.dumps(canonical, ensure_ascii=False).encode()) > MAXIMUM_BYTES:
        raise InvalidInput(f"client_refs exceed {MAXIMUM_BYTES} bytes.", "/client_refs")
    return canonical


def _canonical(value: JsonValue, depth: int) -> JsonValue:
    if depth > MAXIMUM_DEPTH:
        raise InvalidInput(f"client_refs nest deeper than {MAXIMUM_DEPTH}.", "/client_refs")
    if isinstance(value, dict):
        return {_text(key): _canonical(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list):
        return [_canonical(member, depth + 1) for member in value]
    if isinstance(value, str):
        return _text(value)
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise InvalidInput("client_refs hold finite numbers only.", "/client_refs")
    # By its digits: 1e23 is what was written, while the double nearest to it ends in 1611392.
    return int(Decimal(repr(value))) if value.is_integer() else value


def _text(value: str) -> str:
    try:
        return keepable(value)
    except ValueError as error:
        raise InvalidInput(f"client_refs: {error}", "/client_refs") from None


def _validated(refs: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        return canonical_refs(refs)
    except InvalidInput as error:
        raise ValueError(error.summary) from None


ClientRefs = Annotated[dict[str, JsonValue], AfterValidator(_validated)]
"""A field that holds canonical client references."""
