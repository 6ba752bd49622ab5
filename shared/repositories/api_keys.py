"""API keys in PostgreSQL."""

from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.api_keys import ApiKey, Scope

_QUERIES = load_queries(__file__)


class ApiKeyRepository:
    """Every statement about API keys. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def add(self, key: ApiKey, key_hash: bytes) -> None:
        """Keep a new key."""
        parameters = {
            "key_id": key.key_id,
            "name": key.name,
            "key_hash": key_hash,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        }
        self._connection.execute(_QUERIES["add"], parameters)

    def valid(self, key_hash: bytes, now: datetime) -> ApiKey | None:
        """The key of this hash; None where it is unknown, revoked or expired."""
        parameters = {"key_hash": key_hash, "now": now}
        row = self._connection.execute(_QUERIES["valid"], parameters).fetchone()
        if row is None:
            return None
        scopes = frozenset(map(Scope, row.pop("scopes")))
        return ApiKey(scopes=scopes, **row)
