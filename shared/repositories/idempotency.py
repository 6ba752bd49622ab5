"""Idempotency keys in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from shared.database.queries import load_queries
from shared.models.registrations import IdempotencyKey

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Claim:
    """What is known of an idempotency key."""

    is_in_flight: bool
    fingerprint: bytes | None
    """Of the request that was answered; None where there was none."""
    answer: JsonValue


class IdempotencyRepository:
    """Every statement about idempotency keys. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def claim(self, key: IdempotencyKey, keep_from: datetime) -> Claim:
        """Take the key until the transaction ends, if nobody else has it."""
        parameters = {
            "caller": key.caller,
            "idempotency_key": key.key,
            "keep_from": keep_from,
        }
        row = self._connection.execute(_QUERIES["claim"], parameters).fetchone()
        assert row is not None  # noqa: S101 - the function answers with one row
        return Claim(row["is_in_flight"], row["fingerprint"], row["answer"])

    def keep(self, key: IdempotencyKey, answer: JsonValue, now: datetime) -> None:
        """Keep what was answered."""
        parameters = {
            "caller": key.caller,
            "idempotency_key": key.key,
            "fingerprint": key.fingerprint,
            "answer": Jsonb(answer),
            "created_at": now,
        }
        self._connection.execute(_QUERIES["keep"], parameters)
