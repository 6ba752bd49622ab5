"""`Idempotency-Key`: how a sender says that a request is the one it sent before."""

import hashlib
import json
from typing import Annotated

from fastapi import Depends, Header

from functions.http.entry import Entrance, Entry
from shared.models.registrations import IdempotencyKey


class SentOnce:
    """The key that a request may carry, to be completed once its caller is known."""

    def __init__(self, entry: Entry, key: str | None) -> None:
        self._entry = entry
        self._key = key

    def key(self) -> IdempotencyKey | None:
        """None where the sender sent none."""
        if self._key is None:
            return None
        return IdempotencyKey(self._entry.caller.actor, self._key, _fingerprint(self._entry))


def _fingerprint(entry: Entry) -> bytes:
    """Of method, path and body; two spellings of one JSON document are one body."""
    request = entry.request
    asked = [request.method, request.scope["path"], request.state.body]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


async def _sent_once(
    entry: Entrance,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern="^[\\x20-\\x7e]+$",
            description="Names this request: sent again, it gets the same answer for a day.",
        ),
    ] = None,
) -> SentOnce:
    return SentOnce(entry, idempotency_key)


Once = Annotated[SentOnce, Depends(_sent_once)]
"""What a creating route asks for, to do once what is asked several times."""
