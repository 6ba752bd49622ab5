"""Services of a benchmark's own: a migrated database that keeps what it commits."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

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


def _require_durable(url: str) -> None:
    with psycopg.connect(url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
            assert row == ("on",), f"{setting} is {row}"
