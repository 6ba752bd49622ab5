"""Who waits for whom, where other databases of the same server are at work too."""

import time
from typing import Any

import psycopg

# A lock on another transaction names no database: whoever waits for it holds others that do.
_WAITING = """
SELECT FROM pg_locks AS wanted JOIN pg_locks AS noted USING (pid)
WHERE NOT wanted.granted
    AND noted.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def somebody_waits(connection: psycopg.Connection[Any]) -> bool:
    """Whether anybody waits for a lock in this database."""
    return bool(connection.execute(_WAITING).fetchall())


def wait_for_waiter(connection: psycopg.Connection[Any]) -> None:
    """Return once somebody waits for a lock in this database."""
    deadline = time.monotonic() + 60
    while not somebody_waits(connection):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)
