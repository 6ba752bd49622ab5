"""Text that PostgreSQL can hold, and that may be kept."""

from typing import Annotated

from pydantic import AfterValidator, JsonValue

from shared.models.signatures import without_signatures

MAXIMUM_DEPTH = 100
"""Levels of a JSON document that is kept; every reader of it must be able to follow."""


def storable(text: str) -> str:
    """The text itself; ValueError where it has a NUL character or a lone surrogate."""
    if "\x00" in text:
        raise ValueError("NUL characters are not accepted")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("lone surrogates are not accepted") from None
    return text


def keepable(text: str) -> str:
    """The text without signatures; ValueError where it could not be stored."""
    return without_signatures(storable(text))


def keepable_json(value: JsonValue) -> JsonValue:
    """The value with every text in it keepable; ValueError also where it nests too deep."""
    return _keepable_json(value, 1)


def _keepable_json(value: JsonValue, depth: int) -> JsonValue:
    if depth > MAXIMUM_DEPTH:
        raise ValueError(f"JSON deeper than {MAXIMUM_DEPTH} levels is not accepted")
    if isinstance(value, str):
        return keepable(value)
    if isinstance(value, list):
        return [_keepable_json(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {keepable(key): _keepable_json(item, depth + 1) for key, item in value.items()}
    return value


Text = Annotated[str, AfterValidator(keepable)]
"""A field whose text is storable, and is stored without signatures."""
