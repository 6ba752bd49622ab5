"""What was measured is told as long as it may still be so."""

import pytest

from shared.telemetry.metrics import FRESH_SECONDS, Level
from tests.collecting import collecting


def test_a_level_is_told_again_and_again_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    level = Level("registry.test.level", "{thing}", "Things", lambda: now[0])
    key = (("queue", "a"),)
    with collecting(monkeypatch) as collected:
        level.set(7, {"queue": "a"})
        level.set(8, {"queue": "a"})
        for now[0] in (0.0, FRESH_SECONDS - 1):
            assert collected.metrics()["registry.test.level"] == {key: 8}
        now[0] = FRESH_SECONDS
        assert "registry.test.level" not in collected.metrics()
        level.set(0, {"queue": "a"})
        assert collected.metrics()["registry.test.level"] == {key: 0}
