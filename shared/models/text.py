"""Text that PostgreSQL can hold."""

from typing import Annotated

from pydantic import AfterValidator, JsonValue


def storable(text: str) -> str:
    """The text itself; ValueError where it has a NUL character or a lone surrogate."""
    if "\x00" in text:
        raise ValueError("NUL characters are not accepted")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("lone surrogates are not accepted") from None
    return text


def storable_json(value: JsonValue) -> JsonValue:
    """The value itself; ValueError where any text in it could not be stored."""
    pending: list[JsonValue] = [value]
    while pending:  # a loop: the nesting of hostile input may exceed Python's stack
        item = pending.pop()
        if isinstance(item, str):
            storable(item)
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
    return value


Text = Annotated[str, AfterValidator(storable)]
"""A field whose text is storable."""
