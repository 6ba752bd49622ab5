"""What an event loop asks by itself, across restarts of the database and across loops."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import AsyncConnection
from psycopg.errors import DivisionByZero
from psycopg.rows import DictRow

from devhost.stack.postgres import THROW_AWAY, EmbeddedPostgres
from shared.database.loop import LoopConnections
from shared.errors import DatabaseUnavailable


@pytest.fixture
def own_postgres(session_directory: Path, unique_name: str) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(session_directory / unique_name, settings=THROW_AWAY)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def asked(own_postgres: EmbeddedPostgres) -> Iterator[LoopConnections]:
    connection = LoopConnections(own_postgres.url(), timeout_seconds=2)
    yield connection
    connection.close()


async def ask_pid(connection: AsyncConnection[DictRow]) -> int:
    cursor = await connection.execute("SELECT pg_backend_pid() AS pid")
    (row,) = await cursor.fetchall()
    return row["pid"]


def pid(asked: LoopConnections) -> int:
    """Of the server's process that answers; each time a loop of its own asks."""
    return asyncio.run(asked.ask(ask_pid))


def test_one_connection_answers_whichever_loop_asks(asked: LoopConnections) -> None:
    assert pid(asked) == pid(asked)


def test_a_connection_that_was_lost_is_no_outage(
    asked: LoopConnections, own_postgres: EmbeddedPostgres
) -> None:
    before = pid(asked)
    own_postgres.stop()
    own_postgres.start()
    assert pid(asked) != before


def test_without_a_database_it_says_so_until_that_is_back(
    asked: LoopConnections, own_postgres: EmbeddedPostgres
) -> None:
    pid(asked)
    own_postgres.stop()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            pid(asked)
    own_postgres.start()
    assert pid(asked)


def test_what_is_wrong_with_a_statement_is_no_outage(asked: LoopConnections) -> None:
    async def ask_wrongly(connection: AsyncConnection[DictRow]) -> object:
        return await connection.execute("SELECT 1 / 0")

    with pytest.raises(DivisionByZero):
        asyncio.run(asked.ask(ask_wrongly))
    assert pid(asked)


def test_who_asks_meanwhile_is_answered_through_another_one(asked: LoopConnections) -> None:
    async def ask_both() -> list[int]:
        return list(await asyncio.gather(asked.ask(ask_pid), asked.ask(ask_pid)))

    first, second = asyncio.run(ask_both())
    assert first != second
    assert pid(asked) in {first, second}
