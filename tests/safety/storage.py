"""What the database holds, looked at as a whole."""

from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

Connection = psycopg.Connection[DictRow]

_TABLES = """
SELECT relname AS name FROM pg_class
WHERE relnamespace = 'registry'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
# Everything that a statement of a foreign hand could make, change or take away; no statistics.
_SCHEMA = """
SELECT md5(string_agg(line, E'\n' ORDER BY line COLLATE "C")) AS checksum FROM (
    SELECT concat_ws('|', 'class', oid, relname, relnamespace, relkind, relowner, relacl)
        FROM pg_class
    UNION ALL SELECT concat_ws('|', 'function', oid, proname, proowner, prosrc, proacl) FROM pg_proc
    UNION ALL SELECT concat_ws('|', 'column', attrelid, attnum, attname, atttypid, attnotnull)
        FROM pg_attribute
    UNION ALL SELECT concat_ws('|', 'constraint', oid, conname, convalidated) FROM pg_constraint
    UNION ALL SELECT concat_ws('|', 'trigger', oid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws('|', 'schema', oid, nspname, nspacl) FROM pg_namespace
    UNION ALL SELECT concat_ws('|', 'extension', oid, extname) FROM pg_extension
    UNION ALL SELECT concat_ws('|', 'type', oid, typname) FROM pg_type
    UNION ALL SELECT concat_ws('|', 'setting', setdatabase, setrole, setconfig)
        FROM pg_db_role_setting LEFT JOIN pg_database ON setdatabase = pg_database.oid
        WHERE datname IS NULL OR datname = current_database()
    UNION ALL SELECT concat_ws('|', 'large object', oid) FROM pg_largeobject_metadata
) AS everything (line)
"""


_WRITTEN_BY_READING = {"artifact_changes", "artifact_figures", "artifact_totals", "byte_days"}
"""Looking at figures and duplicates adds up what changed since somebody looked last."""
_WRITTEN_BY_REFUSING = {"commits", "error_days"}
"""An attempt that was refused is told of, and counted; the outbox has its event beside others."""


def count_rows(connection: Connection) -> dict[str, int]:
    """Rows of every table, but for sums that the registry adds up, and refused attempts."""
    counted = [
        sql.SQL("SELECT {} AS name, ({}) AS n").format(table, _told("count(*)", table))
        for table in _told_tables(connection)
    ]
    found = connection.execute(sql.SQL(" UNION ALL ").join(counted)).fetchall()
    return {row["name"]: row["n"] for row in found}


def schema_checksum(connection: Connection) -> str:
    """Changes with any table, column, function, constraint, trigger, type or right."""
    row = connection.execute(_SCHEMA).fetchone()
    assert row
    return row["checksum"]


def dump(connection: Connection) -> bytes:
    """All rows of all tables, as PostgreSQL writes them: bytes in hexadecimal, the rest as text."""
    return b"".join(
        _copy(connection, sql.SQL("registry.{}").format(sql.Identifier(table)))
        for table in _tables(connection)
    )


def dump_of_what_was_told(connection: Connection) -> bytes:
    """Likewise, but for sums that the registry adds up by itself, and refused attempts."""
    return b"".join(
        _copy(connection, sql.SQL("({})").format(_told("*", table)))
        for table in _told_tables(connection)
    )


def _copy(connection: Connection, source: sql.Composable) -> bytes:
    statement = sql.SQL("COPY {} TO STDOUT").format(source)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(bytes(part) for part in copy)


def _told(columns: LiteralString, table: str) -> sql.Composed:
    statement = sql.SQL("SELECT {} FROM registry.{} AS told").format(
        sql.SQL(columns), sql.Identifier(table)
    )
    return statement + sql.SQL(" WHERE told.success" if table == "outbox" else "")


def _tables(connection: Connection) -> list[str]:
    return [row["name"] for row in connection.execute(_TABLES).fetchall()]


def _told_tables(connection: Connection) -> list[str]:
    by_itself = _WRITTEN_BY_READING | _WRITTEN_BY_REFUSING
    return [table for table in _tables(connection) if table not in by_itself]
