"""The registration bench runs on a real database; how fast is not a test's business."""

import math
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from bench import registration
from bench.ratio import Ratio
from bench.registration import Effort
from bench.report import keep, ratio_figures

EFFORT = Effort(rounds=1, per_round=3, rows_before=50)


@pytest.fixture
def ratios(database_url: str) -> list[Ratio]:
    return registration.measure(database_url, EFFORT)


def test_every_registration_ratio_is_a_finite_positive_number(ratios: list[Ratio]) -> None:
    assert len(ratios) == 2 * len(registration.THREADS)
    assert all(math.isfinite(ratio.ratio) and ratio.ratio > 0 for ratio in ratios)


def test_registered_and_plain_rows_fill_the_same_columns(
    ratios: list[Ratio], sql: psycopg.Connection[DictRow]
) -> None:
    rows = sql.execute("SELECT * FROM registry.artifact_records").fetchall()
    of_kind = {kind: [r for r in rows if r["client_type"] == kind] for kind in ("bench", "plain")}
    assert all(of_kind.values())
    filled = [{frozenset(_filled(row)) for row in of_one_kind} for of_one_kind in of_kind.values()]
    assert filled[0] == filled[1]
    assert len(filled[0]) == 1


def _filled(row: DictRow) -> set[str]:
    links = {"supersedes", "superseded_by"}  # filled where registering supersedes
    return {column for column, value in row.items() if value is not None} - links


def test_a_kept_run_says_what_missed_its_target(tmp_path: Path) -> None:
    ratios = [Ratio("fast", 1.0, 0.5, "1/s"), Ratio("slow", 0.4, 0.5, "2/s")]
    path = tmp_path / "RESULTS.md"
    keep([ratio_figures("Speed", ratios)], 0.5, datetime(2026, 1, 2, 3, 4, tzinfo=UTC), path)
    text = path.read_text()
    assert "2026-01-02 03:04 UTC" in text
    assert "| fast | 1.00 | ≥ 0.50 | met | 1/s |" in text
    assert "| slow | 0.40 | ≥ 0.50 | missed | 2/s |" in text
