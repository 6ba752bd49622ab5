"""Alerts find in the log what the timer `measure_depths` writes there."""

import re
from pathlib import Path

from infra.check.stacks import plan
from tests.infra.test_app_settings import GIVEN, TEMPLATES

WRITTEN = re.findall(r'"(depth measured: [^"]+)"', Path("shared/services/depths.py").read_text())


def test_queries_read_each_column_off_the_lines() -> None:
    rules = plan(TEMPLATES, GIVEN).of("Microsoft.Insights/scheduledQueryRules")
    queries = [each.objects("properties.criteria.allOf")[0]["query"] for each in rules]
    of_depths = [query for query in queries if "depth measured" in query]
    assert len(WRITTEN) == 2
    assert len(of_depths) == 5
    for query in of_depths:
        columns: dict[str, str] = dict(re.findall(r'(\w+) = .*?extract\(@"(.+?)", 1', query))
        for form in WRITTEN:
            line = form.replace("%s", "blob-events").replace("%d", "12")
            read = {name: re.search(pattern, line) for name, pattern in columns.items()}
            found = {name: match[1] for name, match in read.items() if match}
            wanted = {"what": "blob-events", "messages": "12"}
            assert found == wanted | ({"oldest": "12"} if "oldest_seconds" in form else {})
