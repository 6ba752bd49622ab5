"""What a statement looks at: its plan, and what the server counts inside the functions it calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow

SMALL_TABLE = 1000
"""Rows of a table that may be read as a whole, because it never grows with the registry."""

_COUNTERS = """
SELECT  -- rows that an index leads to are counted with the index
    sum(pg_stat_get_xact_tuples_fetched(oid))
        + sum(pg_stat_get_xact_tuples_returned(oid)) FILTER (WHERE relkind = 'r') AS rows,
    sum(pg_stat_get_xact_tuples_returned(oid)) FILTER (WHERE relkind = 'i') AS entries,
    sum(pg_stat_get_xact_numscans(oid)) FILTER (WHERE relkind = 'r' AND reltuples > %s) AS scans
FROM pg_class
WHERE relnamespace = 'registry'::regnamespace AND relkind IN ('r', 'i')
"""


@dataclass(frozen=True)
class Touched:
    """Rows of tables and entries of indexes that were read, and how often a large table was."""

    rows: int
    entries: int
    scans: int
    sequential: list[str]
    """Large tables that the statement's own plan reads as a whole."""


def touched(
    sql: psycopg.Connection[DictRow], statement: bytes, parameters: Mapping[str, Any]
) -> Touched:
    """Run a statement, undo it, and say what it looked at; what planning looked at is left out."""
    with sql.transaction(force_rollback=True):
        begun = _counters(sql)
        sql.execute(b"EXPLAIN " + statement, parameters)
        planned = _counters(sql)
        row = sql.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + statement, parameters).fetchone()
        done = _counters(sql)
    assert row
    large = [name for name in _read_whole(row["QUERY PLAN"][0]["Plan"]) if _is_large(sql, name)]
    counted = {of: int(done[of] - planned[of] - (planned[of] - begun[of])) for of in begun}
    return Touched(counted["rows"], counted["entries"], counted["scans"], large)


def _counters(sql: psycopg.Connection[DictRow]) -> DictRow:
    row = sql.execute(_COUNTERS, [SMALL_TABLE]).fetchone()
    assert row
    return row


def _read_whole(plan: dict[str, Any]) -> list[str]:
    below = [name for child in plan.get("Plans", []) for name in _read_whole(child)]
    return [plan["Relation Name"], *below] if plan["Node Type"] == "Seq Scan" else below


def _is_large(sql: psycopg.Connection[DictRow], table: str) -> bool:
    found = sql.execute(
        "SELECT FROM pg_class WHERE relname = %s AND reltuples > %s"
        " AND relnamespace = 'registry'::regnamespace",
        [table, SMALL_TABLE],
    )
    return found.fetchone() is not None
