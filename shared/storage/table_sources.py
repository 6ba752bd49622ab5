"""Databases beside the registry's own, whose tables are read row by row."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel, errors, sql
from psycopg.abc import Buffer
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow

from shared.database.login import Password, login
from shared.database.options import CONNECTION_OPTIONS
from shared.database.queries import load_queries
from shared.errors import (
    DatabaseUnavailable,
    TableNotAllowed,
    TableNotFound,
    TableSourceUnavailable,
    TableUnreadable,
)
from shared.models.tables import TableReference, TableSource

_QUERIES = load_queries(__file__)
_CONNECT_SECONDS = 5
_LOCK_SECONDS = 10
_PLAIN, _PARTITIONED = "r", "p"
_NO_TABLE = "is none: it is a view, a sequence or the like"
_REASONS: Mapping[type[psycopg.Error], str] = {
    errors.WrongObjectType: _NO_TABLE,
    errors.InsufficientPrivilege: "may not be read by the registry's role, or not all of its rows",
    errors.UndefinedFunction: "has a column whose type has no binary format, or no order",
}


class TableSources:
    """Reads tables that are listed, from the databases that they are listed for.

    Each call has a connection of its own. Any number of threads may call.
    """

    def __init__(
        self,
        sources: Mapping[str, TableSource],
        *,
        lock_seconds: float = _LOCK_SECONDS,
        password: Password | None = None,
    ) -> None:
        """`password` is the identity's, for those that it opens.

        Raises ValueError, without the URL, where libpq cannot read one.
        """
        for name, source in sources.items():
            _check_url(name, source)
        self._sources = dict(sources)
        self._lock_seconds = lock_seconds
        self._password = password

    def serves(self, source: str) -> bool:
        """Whether tables of that name's database may be read at all."""
        return source in self._sources

    def read(self, table: TableReference, take: Callable[[Buffer], object]) -> int:
        """Hand a table's content to `take`, piece by piece; returns the number of its rows.

        The content is what `COPY` in its binary format says of one snapshot, in the order of the
        primary key: see docs/messages.md. Memory holds a row at a time. Raises TableNotAllowed
        before anything is asked; TableNotFound, TableUnreadable; TableSourceUnavailable.
        """
        source = self._sources.get(table.source)
        if source is None or not source.lists(table):
            raise TableNotAllowed(f"The table {table} is not one that this registry may read.")
        with _faults(table, source), self._snapshot(source) as connection:
            key = _key_columns(connection, table)
            return _copy(connection, copy_statement(table, key), take)

    @contextmanager
    def _snapshot(self, source: TableSource) -> Generator[Connection[DictRow]]:
        """A transaction that reads only, whatever the role's own settings are.

        Its snapshot is taken by the first statement that reads, after the table was locked: one
        taken before a TRUNCATE that others commit meanwhile would show an empty table.
        """
        url = source.url.get_secret_value()
        options = CONNECTION_OPTIONS | login(url, self._password if source.identity else None)
        connect = Connection[DictRow].connect
        with connect(url, connect_timeout=_CONNECT_SECONDS, **options) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                for name, value in self._settings(source).items():
                    setting = sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), value)
                    connection.execute(setting)
                yield connection

    def _settings(self, source: TableSource) -> dict[str, sql.Literal]:
        return {
            "statement_timeout": _milliseconds(source.statement_timeout_seconds),
            "lock_timeout": _milliseconds(self._lock_seconds),
            "client_encoding": sql.Literal("UTF8"),  # of text in the binary format as well
            "search_path": sql.Literal("pg_catalog"),  # nobody's operators in place of the real
            "row_security": sql.Literal("off"),  # an error rather than some of the rows
        }


NO_TABLES = TableSources({})
"""Where no database is listed."""


def copy_statement(table: TableReference, key: list[dict[str, Any]]) -> sql.Composed:
    """The statement whose output is the table's content."""
    order = [
        sql.SQL('{} COLLATE "C"' if column["is_collated"] else "{}").format(
            sql.Identifier(column["name"])
        )
        for column in key
    ]
    return sql.SQL("COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT (FORMAT binary)").format(
        _quoted(table), sql.SQL(", ").join(order)
    )


def _check_url(name: str, source: TableSource) -> None:
    try:
        conninfo_to_dict(source.url.get_secret_value())
    except psycopg.ProgrammingError:
        raise ValueError(f"the URL of the table source '{name}' cannot be read") from None


def _key_columns(connection: Connection[DictRow], table: TableReference) -> list[dict[str, Any]]:
    """Lock the table against all but its own readers and writers, and look at what it is."""
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(_quoted(table)))
    names = {"schema": table.schema, "name": table.name}
    found = connection.execute(_QUERIES["describe"], names).fetchone()
    if found is None:  # a name too long for PostgreSQL is cut off when locking, but not here
        raise _not_found(table)
    _require_readable(table, found)
    return found["key_columns"]


def _require_readable(table: TableReference, found: DictRow) -> None:
    """Raise TableUnreadable unless the rows are the table's own and have one order only."""
    if found["kind"] not in {_PLAIN, _PARTITIONED}:
        raise TableUnreadable(f"The table {table} {_NO_TABLE}.")
    if found["is_inherited"]:
        raise TableUnreadable(f"The table {table} has others that inherit from it.")
    if not found["key_columns"]:
        raise TableUnreadable(f"The table {table} has no primary key to order its rows by.")


def _copy(
    connection: Connection[DictRow], statement: sql.Composed, take: Callable[[Buffer], object]
) -> int:
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for piece in copy:
                take(piece)
        return cursor.rowcount


@contextmanager
def _faults(table: TableReference, source: TableSource) -> Generator[None]:
    """Raise what the driver raises as the registry's own error, without the driver's words."""
    try:
        yield
    except (errors.UndefinedTable, errors.InvalidSchemaName) as fault:
        raise _not_found(table) from fault
    except errors.QueryCanceled as fault:
        raise TableUnreadable(
            f"Reading the table {table} takes longer than the "
            f"{source.statement_timeout_seconds:g} seconds allowed, or was cancelled."
        ) from fault
    except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseUnavailable) as fault:
        raise TableSourceUnavailable(
            f"The database '{table.source}' cannot be reached, or let us wait, at the moment."
        ) from fault
    except psycopg.Error as fault:
        reason = _REASONS.get(type(fault), f"cannot be read: SQLSTATE {fault.sqlstate}")
        raise TableUnreadable(f"The table {table} {reason}.") from fault


def _not_found(table: TableReference) -> TableNotFound:
    return TableNotFound(f"There is no table {table}.")


def _quoted(table: TableReference) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def _milliseconds(seconds: float) -> sql.Literal:
    return sql.Literal(max(1, round(seconds * 1000)))
