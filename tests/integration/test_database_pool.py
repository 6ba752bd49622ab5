"""The pool across a restart of the database."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from devhost.stack.postgres import THROW_AWAY, EmbeddedPostgres
from shared.database.pool import Database
from shared.errors import DatabaseUnavailable


@pytest.fixture
def own_postgres(session_directory: Path, unique_name: str) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(session_directory / unique_name, settings=THROW_AWAY)
    server.start()
    yield server
    server.stop()


def test_after_a_restart_one_call_fails_for_all_the_lost_connections(
    own_postgres: EmbeddedPostgres,
) -> None:
    database = Database(own_postgres.url(), size=6, timeout_seconds=10)

    def use(_: int) -> None:
        with database.connection() as connection:
            connection.execute("SELECT pg_sleep(0.2)")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(use, range(6)))
    own_postgres.stop()
    own_postgres.start()
    with pytest.raises(DatabaseUnavailable):
        use(0)
    for _ in range(12):
        use(0)
    database.close()


def test_after_an_outage_the_database_is_used_again_soon(own_postgres: EmbeddedPostgres) -> None:
    database = Database(own_postgres.url(), size=2, timeout_seconds=0.5)
    database.check(5)
    own_postgres.stop()
    gone = time.monotonic()
    while time.monotonic() - gone < 15:
        with suppress(DatabaseUnavailable):
            database.check(0.5)
    own_postgres.start()
    back = time.monotonic()
    while True:
        try:
            database.check(0.5)
        except DatabaseUnavailable:
            assert time.monotonic() - back < 8, "not used again"
        else:
            break
    database.close()
