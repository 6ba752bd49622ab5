"""Applies the numbered migrations; run by the CLI at deployment, never at worker start."""

# yoyo carries no type annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from yoyo import get_backend, read_migrations
from yoyo.backends import DatabaseBackend
from yoyo.migrations import MigrationList

from shared.database.login import Password, login

MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = int.from_bytes(b"registry")
"""Any number, as long as nobody else's advisory lock in this database has it."""


def migrate(database_url: str, password: Password | None = None) -> list[str]:
    """Apply what is missing and return the ids of what was applied, oldest first.

    Safe to run from several deployments at once: one waits for the other. The lock is that of an
    open transaction, hence gone with whoever held it; yoyo's own, a row, would outlive a kill.
    `password` is asked where the URL has none.
    """
    beside = login(database_url, password)
    with psycopg.connect(database_url, **beside) as guard:
        guard.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        return _apply_missing(_for_yoyo(database_url, beside))


def _apply_missing(yoyos_url: str) -> list[str]:
    backend: DatabaseBackend = get_backend(yoyos_url)
    try:
        migrations: MigrationList = read_migrations(str(MIGRATIONS))
        missing: MigrationList = backend.to_apply(migrations)
        backend.apply_migrations(missing)
        return [migration.id for migration in missing]
    finally:
        backend.connection.close()


def _for_yoyo(database_url: str, beside: dict[str, Any]) -> str:
    """yoyo picks its driver by the scheme: psycopg 3 has one of its own there.

    Its own tables get a fixed home. Where the user is called `registry`, the default search path
    would lead to the schema of that name as soon as the first migration has made it.
    """
    parts = urlsplit(database_url)
    query = urlencode(dict(parse_qsl(parts.query)) | {"schema": "public"} | beside)
    return urlunsplit(parts._replace(scheme="postgresql+psycopg", query=query))
