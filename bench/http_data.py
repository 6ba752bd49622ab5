"""What the HTTP benchmarks find in their databases, and whom they call as."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from devhost.stack.app_process import PROJECT
from devhost.stack.app_settings import app_settings
from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.models.api_keys import Scope
from shared.services.api_keys import ApiKeyService

_QUERIES = load_queries(__file__)
_PATIENCE_SECONDS = 60
_SAMPLED_HASHES = 5_000


@dataclass(frozen=True)
class FilledRegistry:
    """A database of so many artifacts, the settings of an app on it, and a key that opens it."""

    artifacts: int
    environment: Mapping[str, str]
    key: str
    artifact_ids: list[UUID]
    """A sample of all over the table."""
    histories: list[dict[str, str]]
    """References of assets that have ten revisions each, likewise."""


def filled_registry(url: str, artifacts: int, samples: int) -> FilledRegistry:
    """Fill an empty, migrated database."""
    pepper = secrets.token_hex(32)
    database = Database(url, size=1, timeout_seconds=_PATIENCE_SECONDS)
    try:
        fill(database, artifacts)
        keys = ApiKeyService(database, pepper, lambda: datetime.now(UTC))
        with database.connection() as connection:
            ids = connection.execute(_QUERIES["sample_ids"], {"count": samples}).fetchall()
            refs = connection.execute(_QUERIES["sample_histories"], {"count": samples}).fetchall()
        return FilledRegistry(
            artifacts,
            _environment(url, pepper),
            keys.create("bench", list(Scope)).text,
            [row["artifact_id"] for row in ids],
            [row["client_refs"] for row in refs],
        )
    finally:
        database.close()


def sampled_hashes(artifacts: int) -> list[str]:
    """SHA-256, as hex, of the content of artifacts of all over a filled table."""
    step = max(1, artifacts // _SAMPLED_HASHES)
    places = range(1, artifacts + 1, step)
    return [sha256(str(place).encode()).hexdigest() for place in places]


def fill(database: Database, artifacts: int) -> None:
    """Put so many artifacts into an empty database, on a pool of one connection."""
    with database.connection() as connection:
        connection.execute(_QUERIES["prepare"])
        connection.execute(_QUERIES["fill"], {"artifacts": artifacts})
        connection.execute(_QUERIES["fill_members"])
        connection.execute(_QUERIES["fill_totals"])
        connection.execute(_QUERIES["vacuum"])
        connection.execute(_QUERIES["checkpoint"])
        connection.execute(b"DISCARD ALL")


def _environment(database_url: str, pepper: str) -> dict[str, str]:
    return app_settings(
        PROJECT,
        {
            "REGISTRY_DATABASE_URL": database_url,
            "REGISTRY_KEY_PEPPER": pepper,
            "REGISTRY_STORAGE": "UseDevelopmentStorage=true",  # no route here reaches for it
        },
    )
