"""The bench of a full queue runs on real services; how fast is not a test's business."""

import math

from bench import ingestion
from bench.ingestion import Effort


def test_every_worker_empties_the_queue() -> None:
    ratios = ingestion.run(Effort(rounds=1, depth=5))  # asserts itself that every message was taken
    assert len(ratios) == 3
    assert all(math.isfinite(ratio.ratio) and ratio.ratio > 0 for ratio in ratios)
