"""What docs/telemetry.md says of metrics is what there is."""

import re
from pathlib import Path

from shared.telemetry.traces import untraced

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "telemetry.md").read_text(encoding="utf-8")
SOURCE = (PROJECT / "shared" / "telemetry" / "metrics.py").read_text(encoding="utf-8")


def test_the_page_lists_every_metric_with_its_unit_and_no_other() -> None:
    made = set(re.findall(r'\(\s*"(registry\.[a-z_.]+)",\s*"([^"]+)"', SOURCE))
    told = set(re.findall(r"^\| `(registry\.[a-z_.]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    assert len(made) == 11
    assert told == made


def test_the_message_that_it_shows_has_a_trace() -> None:
    (shown,) = re.findall(r"^\{.*traceparent.*$", PAGE, re.MULTILINE)
    message, trace = untraced(shown.encode())
    assert trace is not None
    assert message.endswith(b'"path": "a.tif"}')
