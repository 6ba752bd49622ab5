"""Cursors: where a list goes on. Opaque to callers, so that a list may change its order."""

import binascii
import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from shared.errors import InvalidInput

LAST_ID = UUID(int=2**128 - 1)
"""Behind every id: where lists begin that tell the newest first."""

BEYOND = 2**31 - 1
"""The next number after a position is one that the database's integers hold as well."""


def write_cursor(of: str, position: object) -> str:
    """A cursor that continues the list `of` behind `position`."""
    return urlsafe_b64encode(f"{of}:{position}".encode()).decode().rstrip("=")


def name_list(kind: str, *asked: object) -> str:
    """What to call a list of which there are many: equal for what is asked equally."""
    told = json.dumps(asked, sort_keys=True, default=str)
    return f"{kind}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def foreign_cursor() -> InvalidInput:
    """The error for a cursor that was not made for the list it is given to."""
    return InvalidInput("The cursor does not belong to this list.", "/cursor")


def read_cursor(of: str, cursor: str) -> str:
    """The position that a cursor holds.

    Raises InvalidInput where it was not made by `write_cursor` for the same list.
    """
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    made_for, _, position = text.partition(":")
    if made_for != of:
        raise foreign_cursor()
    return position


def read_id(of: str, cursor: str | None) -> UUID:
    """The id behind which a list goes on that is ordered by it, newest first; the last, if none.

    InvalidInput as above.
    """
    if cursor is None:
        return LAST_ID
    try:
        return UUID(read_cursor(of, cursor))
    except ValueError:
        raise foreign_cursor() from None


def read_number(of: str, cursor: str) -> int:
    """The position of a cursor whose list counts; InvalidInput as above, or beyond 32 bits."""
    position = read_cursor(of, cursor)
    try:
        number = int(position)
    except ValueError:
        number = BEYOND
    if not -BEYOND < number < BEYOND:
        raise foreign_cursor()
    return number


def write_place(of: str, at: datetime, last_id: UUID) -> str:
    """A cursor for a list that is ordered by time, and by id among what has the same."""
    return write_cursor(of, f"{last_id} {at.isoformat()}")


def read_place(of: str, cursor: str) -> tuple[datetime, UUID]:
    """The place that such a cursor holds; InvalidInput as above, or without a time zone."""
    last_id, _, text = read_cursor(of, cursor).partition(" ")
    try:
        at, read_id = datetime.fromisoformat(text), UUID(last_id)
        if at.tzinfo is None:
            raise foreign_cursor()
        # PostgreSQL knows fewer offsets than Python does.
        return at.astimezone(UTC), read_id
    except (ValueError, OverflowError):
        raise foreign_cursor() from None
