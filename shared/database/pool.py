"""The connection pool: psycopg 3, right behind PgBouncer in transaction mode."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from psycopg import (
    Connection,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool, PoolTimeout

from shared.database.login import Password
from shared.database.loop import LoopConnections
from shared.database.options import connection_options
from shared.errors import DatabaseUnavailable

_RECONNECT_SECONDS = 3.0
_STALE = frozenset({"tupledesc_match", "build_attrmap_by_position", "RevalidateCachedQuery"})
"""Where PostgreSQL gives a statement up: a table got columns while it was under way."""


class Database:
    """Hands out pooled connections; opens none before the first one is asked for.

    Connections commit by themselves, so that a call of one statement is one round trip; several
    statements that belong together go into `connection.transaction()`.
    """

    def __init__(
        self, url: str, *, size: int, timeout_seconds: float, password: Password | None = None
    ) -> None:
        """`password` is that of each new connection, where the URL has none."""
        self._pool = ConnectionPool(
            url,
            connection_class=Connection[DictRow],
            kwargs=partial(connection_options, url, timeout_seconds, password),
            min_size=0,
            max_size=size,
            timeout=timeout_seconds,
            # The default goes on for five minutes, in ever longer waits that outlast the outage.
            reconnect_timeout=_RECONNECT_SECONDS,
            open=False,
            name="registry",
        )
        self.on_loop = LoopConnections(url, timeout_seconds=timeout_seconds, password=password)
        """For an event loop; beside the pool."""

    @contextmanager
    def connection(self, timeout_seconds: float | None = None) -> Generator[Connection[DictRow]]:
        """A connection for one service call.

        Raises DatabaseUnavailable when none can be had in time, when it is lost on the way, and
        for what was under way while a migration changed a table: the same succeeds a moment later.
        """
        self._pool.open()
        try:
            with self._pool.connection(timeout_seconds) as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseUnavailable from error
        except (OperationalError, InterfaceError) as error:
            # Where one connection was lost, the others may be: one failed call clears them all.
            self._pool.check()
            raise DatabaseUnavailable from error
        except (ProgrammingError, NotSupportedError) as error:
            if error.diag.source_function not in _STALE:
                raise
            raise DatabaseUnavailable from error

    def check(self, timeout_seconds: float) -> None:
        """Raise DatabaseUnavailable unless the database answers in time."""
        with self.connection(timeout_seconds) as connection:
            connection.execute("SELECT 1")

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
        self.on_loop.close()
