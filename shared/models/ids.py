"""Identifiers: UUIDv7 made by the client side; every id that comes in may also be a ULID's text."""

import hashlib
from datetime import datetime
from typing import Annotated, NewType
from uuid import UUID

from pydantic import BeforeValidator
from ulid import ULID
from uuid_utils.compat import uuid7

from shared.errors import InvalidInput

ArtifactId = NewType("ArtifactId", UUID)
AssetId = NewType("AssetId", UUID)
KeyId = NewType("KeyId", UUID)

_ULID_LENGTH = 26


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): ids made later sort later, which keeps index inserts local."""
    return uuid7()


def repeatable_id(name: str, at: datetime | None) -> UUID:
    """The same UUIDv7 for the same name and time: for a request that may be delivered again.

    The time gives its place in the order of ids, the name's SHA-256 what is random elsewhere.
    """
    milliseconds = int(at.timestamp() * 1000) if at else 0
    random = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10])
    return UUID(
        int=(milliseconds & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | (random >> 64 & 0xFFF) << 64
        | 0b10 << 62
        | random & 0x3FFF_FFFF_FFFF_FFFF
    )


def parse_id(text: str) -> UUID:
    """Read an id written as a UUID or as a ULID (26 characters of Crockford's base 32).

    Raises InvalidInput for anything else.
    """
    try:
        return ULID.from_str(text).to_uuid() if len(text) == _ULID_LENGTH else UUID(text)
    except ValueError:
        raise InvalidInput("An id is written as a UUID or a ULID.") from None


def _id_from_input(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_id(value)
    except InvalidInput as error:
        raise ValueError(error.summary) from None


ArtifactIdInput = Annotated[ArtifactId, BeforeValidator(_id_from_input)]
"""A field or parameter that takes either written form."""

IdInput = Annotated[UUID, BeforeValidator(_id_from_input)]
"""Likewise, for ids of things that have no type of their own yet."""
