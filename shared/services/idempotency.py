"""Doing once what is asked several times with the same idempotency key."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from psycopg import Connection
from psycopg.rows import DictRow
from pydantic import TypeAdapter

from shared.errors import IdempotencyKeyReused, RequestInFlight
from shared.models.registrations import IdempotencyKey
from shared.repositories.idempotency import IdempotencyRepository

Answer = TypeVar("Answer")

KEPT = timedelta(hours=24)
"""How long an answer is kept, at least as long as a sender goes on trying."""


def do_in_transaction(
    connection: Connection[DictRow],
    key: IdempotencyKey | None,
    now: datetime,
    kind: TypeAdapter[Answer],
    work: Callable[[], Answer],
) -> Answer:
    """What `do_once` answers, in a transaction of its own; without a key, `work` alone."""
    if key is None:
        return work()
    with connection.transaction():
        return do_once(connection, key, now, kind, work)


def do_once(
    connection: Connection[DictRow],
    key: IdempotencyKey,
    now: datetime,
    kind: TypeAdapter[Answer],
    work: Callable[[], Answer],
) -> Answer:
    """The answer of `work`, or the one that was given to the same request before.

    Runs within the transaction of the connection, which keeps the answer together with what the
    work changed: both are there after a crash, or neither. What fails is not kept, and may be asked
    again.

    Raises RequestInFlight while another transaction works on the same key, and
    IdempotencyKeyReused where the key was used for something else.
    """
    keys = IdempotencyRepository(connection)
    claim = keys.claim(key, now - KEPT)
    if claim.is_in_flight:
        raise RequestInFlight
    if claim.fingerprint is None:
        answer = work()
        keys.keep(key, kind.dump_python(answer, mode="json"), now)
        return answer
    if claim.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused
    return kind.validate_python(claim.answer)
