"""What a transaction may leave in a server's connection, for whoever has that one next."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import psycopg

from tests.pgbouncer.pooler import SERVER_CONNECTIONS

# PgBouncer itself sets what each client said of itself when it connected.
_LEFT = """
SELECT 'setting ' || name AS what FROM pg_settings
WHERE source = 'session' AND lower(name) NOT IN
    ('application_name', 'client_encoding', 'datestyle', 'standard_conforming_strings', 'timezone')
UNION ALL SELECT 'role ' || current_user WHERE current_user <> session_user
UNION ALL SELECT 'prepared statement ' || name FROM pg_prepared_statements
UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable
UNION ALL SELECT 'listening to ' || channel FROM pg_listening_channels() AS channel
UNION ALL SELECT 'advisory lock' FROM pg_locks
WHERE locktype = 'advisory' AND pid = pg_backend_pid()
UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
"""


def leftovers(url: str) -> set[str]:
    """Of all connections that PgBouncer has for this user."""
    with _all_of_them(url) as connections:
        return {what for each in connections for (what,) in each.execute(_LEFT)}


@contextmanager
def _all_of_them(url: str) -> Generator[list[psycopg.Connection]]:
    """Transactions side by side: each has a connection of the server to itself."""
    with ExitStack() as opened:
        connections = [
            opened.enter_context(psycopg.connect(url, prepare_threshold=None))
            for _ in range(SERVER_CONNECTIONS)
        ]
        servers = [each.execute("SELECT pg_backend_pid()").fetchone() for each in connections]
        assert len(set(servers)) == SERVER_CONNECTIONS
        yield connections
        for each in connections:
            each.rollback()
