"""The bench of figures runs on a real database; how fast is not a test's business."""

import math

import psycopg
from psycopg.rows import DictRow

from bench.figures import QUICK, measure
from shared.database.pool import Database
from shared.services.figures import FiguresService
from tests.integration.clock import TickingClock
from tests.integration.figuring import counted_figures, told_figures


def test_figures_are_compared_with_counts_of_as_many_artifacts(
    sql: psycopg.Connection[DictRow], database: Database, clock: TickingClock
) -> None:
    ratios = measure(sql, database, QUICK)
    assert len(ratios) == 3
    assert all(math.isfinite(ratio.ratio) and ratio.ratio > 0 for ratio in ratios)
    waiting = sql.execute("SELECT count(*) AS n FROM registry.artifact_changes").fetchone()
    assert waiting == {"n": QUICK.waiting}
    # Without what was noted once more, what is filled in is what is counted.
    sql.execute("DELETE FROM registry.artifact_changes")
    counted = counted_figures(sql)
    told = told_figures(FiguresService(database, clock).get_statistics(days=366))
    assert {name: told[name] for name in told if name not in ("day", "container")} == {
        name: counted[name] for name in counted if name not in ("day", "container")
    }
