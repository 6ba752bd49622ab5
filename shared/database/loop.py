"""A connection that an event loop asks through by itself, without a thread."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.rows import DictRow

from shared.database.options import CONNECTION_OPTIONS
from shared.errors import DatabaseUnavailable

Answer = TypeVar("Answer")
Question = Callable[[AsyncConnection[DictRow]], Awaitable[Answer]]


class LoopConnection:
    """One connection, opened by the first question; for statements that read, and take no time.

    A visit to a thread costs more than such a statement does. One question at a time: whoever asks
    waits for the answer before asking again.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._url = url
        self._connect_seconds = max(2, int(timeout_seconds))
        self._connection: AsyncConnection[DictRow] | None = None

    async def ask(self, question: Question[Answer]) -> Answer:
        """What a question finds out, as one statement; raises DatabaseUnavailable.

        A connection that was lost is no outage: then another one is asked.
        """
        was_open = self._connection is not None
        try:
            return await question(await self._opened())
        except (OperationalError, InterfaceError) as error:
            self.close()
            if not was_open:
                raise DatabaseUnavailable from error
        return await self.ask(question)

    def close(self) -> None:
        """Close the connection; a question opens another one."""
        if self._connection is not None:
            self._connection.pgconn.finish()  # what closing does, but for a loop to wait in
            self._connection = None

    async def _opened(self) -> AsyncConnection[DictRow]:
        if self._connection is None:
            self._connection = await AsyncConnection[DictRow].connect(
                self._url, connect_timeout=self._connect_seconds, **CONNECTION_OPTIONS
            )
        return self._connection
