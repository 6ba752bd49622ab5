"""Cases of the audit trail: what its queries are asked, and how much they may look at."""

from collections.abc import Iterator

from tests.integration.plan_questions import Case


def cases() -> Iterator[Case]:
    yield Case("trail.next_events", {"most": 10}, rows=50)
    yield Case("trail.waiting", {"most": 10}, rows=10)
    yield Case("trail.shard_ends", rows=4)
    yield Case("trail.behind", {"most": 10}, rows=50)
