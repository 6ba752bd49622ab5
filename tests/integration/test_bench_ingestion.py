"""The benches of ingestion run on real services; how fast is not a test's business."""

import math

import pytest

from bench import backfill, ingestion
from bench.ratio import Ratio


@pytest.mark.long
def test_every_worker_empties_the_queue() -> None:
    # Asserts itself that every message was taken.
    are_measured(ingestion.run(ingestion.Effort(rounds=1, depth=5)), 3)


@pytest.mark.long
def test_a_backfill_registers_all_that_its_report_lists() -> None:
    # Asserts itself that every blob was registered.
    are_measured(backfill.run(backfill.Effort(rounds=1, blobs=1000)), 2)


def are_measured(ratios: list[Ratio], count: int) -> None:
    assert len(ratios) == count
    assert all(math.isfinite(ratio.ratio) and ratio.ratio > 0 for ratio in ratios)
