"""Services of a benchmark's own: a migrated database that keeps what it commits."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from devhost.stack.postgres import EmbeddedPostgres
from shared.database.migrate import migrate


@contextmanager
def registry_database(directory: Path) -> Generator[str]:
    """URL of an empty, migrated database on a server that waits for its disk at each commit."""
    # Says when each row was committed; costs a commit some bytes more, in every variant alike.
    server = EmbeddedPostgres(directory, settings={"track_commit_timestamp": "on"})
    server.start()
    try:
        migrate(server.url())
        _require_durable(server.url())
        yield server.url()
    finally:
        server.stop()


@contextmanager
def another_database(server_url: str) -> Generator[str]:
    """URL of one more database on a server, empty and migrated; dropped at the end."""
    with foreign_database(server_url) as url:
        migrate(url)
        yield url


@contextmanager
def foreign_database(server_url: str) -> Generator[str]:
    """URL of one more database on a server, with nothing of ours in it; dropped at the end."""
    name = f"bench_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


def _require_durable(url: str) -> None:
    with psycopg.connect(url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
            assert row == ("on",), f"{setting} is {row}"
