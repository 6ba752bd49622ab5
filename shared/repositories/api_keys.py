"""API keys in PostgreSQL."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.loop import LoopConnections
from shared.database.queries import load_queries
from shared.models.api_keys import ApiKey, KeyMatch, Scope
from shared.models.registrations import Origin

_QUERIES = load_queries(__file__)


async def valid_with_artifacts(
    database: LoopConnections, key_hash: bytes, now: datetime, artifact_ids: Collection[UUID]
) -> tuple[KeyMatch | None, list[DictRow]]:
    """The key of this hash, if it is valid, and then rows of those of these artifacts that exist.

    On an event loop: letting in and the most frequent question are one statement.
    """
    parameters = {"key_hash": key_hash, "now": now, "artifact_ids": list(artifact_ids)}

    async def ask(connection: AsyncConnection[DictRow]) -> list[DictRow]:
        cursor = await connection.execute(_QUERIES["valid_with_artifacts"], parameters)
        return await cursor.fetchall()

    rows = await database.ask(ask)
    return (_match(rows[0]) if rows else None), [row for row in rows if row["artifact"]]


class ApiKeyRepository:
    """Every statement about API keys. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def add(self, key: ApiKey, key_hash: bytes) -> None:
        """Keep a new key."""
        parameters = key.model_dump() | {"scopes": sorted(key.scopes), "key_hash": key_hash}
        self._connection.execute(_QUERIES["add"], parameters)

    def valid(self, key_hash: bytes, now: datetime) -> KeyMatch | None:
        """The key of this hash; None where it is unknown, revoked or expired."""
        parameters = {"key_hash": key_hash, "now": now}
        row = self._connection.execute(_QUERIES["valid"], parameters).fetchone()
        return _match(row) if row else None

    def get(self, key_id: UUID) -> ApiKey | None:
        """One key; None if unknown."""
        found = self._keys("get", {"key_id": key_id})
        return found[0] if found else None

    def hold(self, key_id: UUID) -> ApiKey | None:
        """The same, locked until the transaction ends."""
        self._connection.execute(_QUERIES["limit_waiting"])
        self._connection.execute(_QUERIES["hold"], {"key_id": key_id})
        return self.get(key_id)  # a statement of its own, which sees what was waited for

    def change_expiry(self, key_id: UUID, expires_at: datetime | None) -> None:
        """Let a key end at another instant, None for never."""
        parameters = {"key_id": key_id, "expires_at": expires_at}
        self._connection.execute(_QUERIES["change_expiry"], parameters)

    def revoke(self, key_id: UUID, at: datetime) -> None:
        """End a key for good."""
        self._connection.execute(_QUERIES["revoke"], {"key_id": key_id, "at": at})

    def all_below(self, key_id: UUID, limit: int) -> list[ApiKey]:
        """Keys older than this one, newest first."""
        return self._keys("all_below", {"key_id": key_id, "limit": limit})

    def revoked_below(self, key_id: UUID, limit: int) -> list[ApiKey]:
        """Revoked keys older than this one, newest first."""
        return self._keys("revoked_below", {"key_id": key_id, "limit": limit})

    def ending_between(self, after: str, key_id: UUID, until: str, limit: int) -> list[ApiKey]:
        """Keys that were not revoked and end after (`after`, `key_id`), soonest first.

        Instants are ISO 8601 or `infinity`, which Python's own cannot be.
        """
        parameters = {"after": after, "key_id": key_id, "until": until, "limit": limit}
        return self._keys("ending_between", parameters)

    def record_event(
        self, operation: str, origin: Origin, at: datetime, details: Mapping[str, Any]
    ) -> None:
        """Write into the audit trail, in the transaction of the change itself."""
        parameters = {
            "occurred_at": at,
            "operation": operation,
            "actor": origin.actor,
            "request_id": origin.request_id,
            "details": Jsonb(details),
        }
        self._connection.execute(_QUERIES["record_event"], parameters)

    def _keys(self, name: str, parameters: Mapping[str, Any]) -> list[ApiKey]:
        rows = self._connection.execute(_QUERIES[name], parameters).fetchall()
        return [ApiKey.model_validate(row) for row in rows]


def _match(row: Mapping[str, Any]) -> KeyMatch:
    return KeyMatch(row["key_id"], frozenset(map(Scope, row["scopes"])), row["key_hash"])
