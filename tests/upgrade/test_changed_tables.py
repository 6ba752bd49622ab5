"""A migration changes a table while a statement is under way that returns its rows."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.errors import DatatypeMismatch

from shared.database.pool import Database
from shared.errors import DatabaseUnavailable
from tests.integration.locks import wait_for_waiter

SETUP = """
CREATE TABLE changing (first integer);
INSERT INTO changing VALUES (1);
CREATE FUNCTION rows_of_it() RETURNS SETOF changing LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(8);
    RETURN QUERY SELECT * FROM changing;
END
$$;
"""


def test_what_postgresql_gives_up_then_is_a_fault_that_passes(database_url: str) -> None:
    database = Database(database_url, size=2, timeout_seconds=30)

    def ask() -> int:
        with database.connection() as connection:
            return len(connection.execute("SELECT * FROM rows_of_it()").fetchall())

    with psycopg.connect(database_url) as migration, ThreadPoolExecutor(1) as threads:
        migration.execute(SETUP)
        migration.commit()
        migration.execute("SELECT pg_advisory_xact_lock(8)")
        asked = threads.submit(ask)
        wait_for_waiter(migration)
        migration.execute("ALTER TABLE changing ADD COLUMN second integer")
        migration.commit()
        with pytest.raises(DatabaseUnavailable) as raised:
            asked.result()
    assert isinstance(raised.value.__cause__, DatatypeMismatch)
    assert ask() == 1
    with pytest.raises(DatatypeMismatch), database.connection() as connection:
        connection.execute("SELECT CASE WHEN true THEN 1 ELSE ARRAY[1] END")
    database.close()
