"""Strikes secrets out of messages before they are kept."""

import json
import re
from collections.abc import Callable
from typing import cast

from pydantic import JsonValue

from shared.errors import MalformedMessage
from shared.models.blob_events import message_document, message_text
from shared.models.signatures import without_keys

_EQUALS = r"(?:=|%(?:25)*3d)"
# Not behind a slash, and a `code` only where a URL may have a key of a function: folders are called
# `country_code=US`, and a message whose blob has another name by then could not be replayed.
_SECRET = re.compile(
    rf"((?<![\w/-])[\w-]*(?:sig|signature|accountkey|sharedaccesskey|password|token){_EQUALS}"
    rf"|(?:[?&]|%(?:25)*(?:3f|26))code{_EQUALS}(?=[^&;\"'\s]{{20}}))[^&;\"'\s]+",
    re.IGNORECASE,
)


def redacted_text(text: str) -> str:
    """The text with the values of signatures, keys and passwords replaced."""
    return _SECRET.sub(r"\1REDACTED", without_keys(text))


def storable_text(text: str, longest: int) -> str:
    """The same fit to be stored, whatever a hostile sender put into it, and not too long."""
    readable = text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
    return redacted_text(readable)[:longest]


def storable_json(value: JsonValue, longest: int) -> JsonValue:
    """Likewise, each text and each name in a document."""
    return _changed(value, lambda text: storable_text(text, longest))


def redacted_body(body: bytes) -> bytes:
    """A message's body as it is, unless it holds a secret: then decoded, and without it."""
    try:
        document = cast("JsonValue", message_document(body))
    except MalformedMessage:
        return _redacted_text_of(body)
    clean = _changed(document, redacted_text)
    return body if clean == document else json.dumps(clean).encode()


def _redacted_text_of(body: bytes) -> bytes:
    for text in (body, message_text(body)):
        readable = text.decode(errors="surrogateescape")
        clean = redacted_text(readable)
        if clean != readable:
            return clean.encode(errors="surrogateescape")
    return body


def _changed(value: JsonValue, change: Callable[[str], str]) -> JsonValue:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): _changed(item, change) for key, item in value.items()}
    return value
