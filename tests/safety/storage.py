"""What the database holds, looked at as a whole."""

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
SELECT md5(string_agg(line, E'\n' ORDER BY line)) AS checksum FROM (
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


def count_rows(connection: Connection) -> dict[str, int]:
    """Rows of every table of the registry's, but for sums that it adds up by itself."""
    counts: dict[str, int] = {}
    for table in _told_tables(connection):
        statement = sql.SQL("SELECT count(*) AS n FROM registry.{}").format(sql.Identifier(table))
        row = connection.execute(statement).fetchone()
        assert row
        counts[table] = row["n"]
    return counts


def schema_checksum(connection: Connection) -> str:
    """Changes with any table, column, function, constraint, trigger, type or right."""
    row = connection.execute(_SCHEMA).fetchone()
    assert row
    return row["checksum"]


def dump(connection: Connection) -> bytes:
    """All rows of all tables, as PostgreSQL writes them: bytes in hexadecimal, the rest as text."""
    return b"".join(_dump_table(connection, table) for table in _tables(connection))


def dump_of_what_was_told(connection: Connection) -> bytes:
    """Likewise, but for sums that the registry adds up by itself."""
    return b"".join(_dump_table(connection, table) for table in _told_tables(connection))


def _dump_table(connection: Connection, table: str) -> bytes:
    statement = sql.SQL("COPY registry.{} TO STDOUT").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(bytes(part) for part in copy)


def _tables(connection: Connection) -> list[str]:
    return [row["name"] for row in connection.execute(_TABLES).fetchall()]


def _told_tables(connection: Connection) -> list[str]:
    return [table for table in _tables(connection) if table not in _WRITTEN_BY_READING]
