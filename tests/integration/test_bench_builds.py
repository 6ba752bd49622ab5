"""The bench of builds runs; how fast is not a test's business."""

import math

import pytest

from bench import builds


@pytest.mark.long
def test_telling_and_asking_are_measured_beside_registering() -> None:
    # Asserts itself that every request was answered as it should be.
    ratios = builds.run(builds.QUICK)
    assert len(ratios) == 4
    assert all(math.isfinite(each.ratio) and each.ratio > 0 for each in ratios)
