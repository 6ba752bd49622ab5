"""docs/operations.md tells of every alert that the template makes, and of no other."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS = (PROJECT / "infra" / "modules" / "alerts.bicep").read_text(encoding="utf-8")


def test_every_alert_has_a_row() -> None:
    (section,) = re.findall(r"^## Read the alerts$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    told = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)
    made = re.findall(r"^    name: '([^'$]+)'$", ALERTS, re.MULTILINE)
    assert len(made) > 10
    assert sorted(told) == sorted(made)
