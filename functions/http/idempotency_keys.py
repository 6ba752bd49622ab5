"""`Idempotency-Key`: how a sender says that a request is the one it sent before."""

import hashlib
import json
from typing import Annotated

from fastapi import Header, Request
from pydantic import TypeAdapter

from functions.http.entry import Entry
from functions.http.reading import read_value
from shared import errors
from shared.models.registrations import IdempotencyKey

ONCE = (errors.IdempotencyKeyReused, errors.RequestInFlight)
"""What an operation that takes a key may meet."""

_NAME = "Idempotency-Key"

IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias=_NAME,
        min_length=1,
        max_length=255,
        pattern="^[\\x20-\\x7e]+$",
        description="Names this request: sent again, it gets the same answer for a day.",
    ),
]

_HEADER = TypeAdapter[str | None](IdempotencyHeader)


def read_idempotency_header(request: Request) -> str | None:
    """The header itself; None where there is none."""
    given = request.headers.get(_NAME)
    return None if given is None else read_value(_HEADER, given, "header", _NAME)


def read_idempotency_key(entry: Entry, text: str | None) -> IdempotencyKey | None:
    """The key of a request whose caller is known; None where the sender sent none."""
    if text is None:
        return None
    # Its digest does as well, and whatever a sender took for a key is not kept.
    digest = hashlib.sha256(text.encode()).hexdigest()
    return IdempotencyKey(entry.caller.actor, digest, _fingerprint(entry))


def _fingerprint(entry: Entry) -> bytes:
    """Of method, path and body, if any; two spellings of one JSON document are one body."""
    request = entry.request
    asked = [request.method, request.scope["path"], getattr(request.state, "body", None)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
