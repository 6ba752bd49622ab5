"""Every query looks at a bounded number of rows, by an index, whatever the registry holds."""

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.integration.plan_cases import cases
from tests.integration.plan_questions import WRITES, Case, statements
from tests.integration.plans import Touched, touched

FILL = b"".join(
    Path(__file__).with_name(name).read_bytes()
    for name in ("many_builds.sql", "many_artifacts.sql")
)
SHORTLIST = 10_000
SMALL_SHORTLIST = b"""
CREATE OR REPLACE FUNCTION registry.shortlist_limit() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1000
"""


def fill(sql: psycopg.Connection[DictRow], assets: int) -> None:
    sql.execute("SELECT set_config('fill.scale', %s, false)", [str(assets)])
    for statement in FILL.split(b";\n"):
        sql.execute(statement)


def check_every_query(sql: psycopg.Connection[DictRow], shortlist: int) -> None:
    known = statements()
    excessive: list[tuple[Case, Touched]] = []
    for case in cases():
        seen = touched(sql, known[case.query], case.parameters)
        rows = case.rows + case.shortlists * shortlist
        if seen.sequential or seen.scans or seen.rows > rows or seen.entries > 10 + 4 * rows:
            excessive.append((case, seen))
    assert not excessive, "\n".join(f"{case}\n    {seen}" for case, seen in excessive)


def test_every_query_is_either_looked_at_or_known_to_write_by_key() -> None:
    looked_at = {case.query for case in cases()}
    assert looked_at | WRITES == statements().keys()
    assert not looked_at & WRITES


def test_every_query_uses_an_index_and_looks_at_little(sql: psycopg.Connection[DictRow]) -> None:
    sql.execute(SMALL_SHORTLIST)
    fill(sql, 20_000)
    check_every_query(sql, 1000)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_query_looks_at_as_little_among_a_million(
    sql: psycopg.Connection[DictRow],
) -> None:
    fill(sql, 1_000_000)
    check_every_query(sql, SHORTLIST)
