"""Connections that an event loop asks through by itself, without a thread."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.rows import DictRow

from shared.database.login import Password
from shared.database.options import connection_options
from shared.errors import DatabaseUnavailable

Answer = TypeVar("Answer")
Question = Callable[[AsyncConnection[DictRow]], Awaitable[Answer]]


class LoopConnections:
    """As many connections as are asked at a time; for statements that read, and take no time.

    A visit to a thread costs more than such a statement does.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float, password: Password | None = None
    ) -> None:
        self._url = url
        self._options = partial(connection_options, url, timeout_seconds, password)
        self._idle: list[AsyncConnection[DictRow]] = []

    async def ask(self, question: Question[Answer]) -> Answer:
        """What a question finds out, as one statement; raises DatabaseUnavailable.

        A connection that was lost is no outage: then another one is asked.
        """
        was_idle = bool(self._idle)
        try:
            connection = self._idle.pop() if was_idle else await self._open()
            return await self._ask_through(connection, question)
        except (OperationalError, InterfaceError) as error:
            if not was_idle:
                raise DatabaseUnavailable from error
        return await self.ask(question)

    def close(self) -> None:
        """Close the connections; a question opens another one."""
        while self._idle:
            _close(self._idle.pop())

    async def _ask_through(
        self, connection: AsyncConnection[DictRow], question: Question[Answer]
    ) -> Answer:
        try:
            answer = await question(connection)
        except BaseException:
            _close(connection)  # nobody knows in which state it is
            raise
        self._idle.append(connection)
        return answer

    async def _open(self) -> AsyncConnection[DictRow]:
        options = await asyncio.to_thread(self._options)  # it may ask for a token, which takes time
        return await AsyncConnection[DictRow].connect(self._url, **options)


def _close(connection: AsyncConnection[DictRow]) -> None:
    connection.pgconn.finish()  # what closing does, but for a loop to wait in
