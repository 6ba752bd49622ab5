"""Cases of the audit trail: what its queries are asked, and how much they may look at."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.integration.plan_questions import Case

_NUMBERED = {
    "commit_number": 1,
    "position": 1,
    "number": 10**9,
    "event_id": str(UUID(int=1)),
    "occurred_at": "2026-06-01T00:00:00Z",
    "recorded_at": "2026-06-01T00:00:00Z",
    "shard": 1,
    "artifact_id": None,
    "hash": "00" * 32,
    "event": "{}",
}


def cases() -> Iterator[Case]:
    yield Case("trail.next_events", {"most": 10, "most_bytes": 10**6}, rows=50)
    yield Case("trail.number_events", {"events": Jsonb([_NUMBERED])}, rows=20)
    yield Case("trail.waiting", {"most": 10, "most_bytes": 10**6}, rows=10)
    yield Case("trail.end", rows=1)
    yield Case("trail.shard_ends", rows=4)
    yield Case("trail_proof.state", rows=10)
    yield Case("trail_proof.beyond", rows=2)
    days = {"first_day": date(2026, 1, 1), "last_day": date.max, "most": 10}
    yield Case("trail_proof.days", days, rows=10)
    yield Case("trail_proof.day_before", {"day": date(2026, 3, 1)}, rows=1)
    yield Case("trail_proof.first_unsealed", rows=1)
    yield Case("trail_proof.digests", {"after": 78, "last": 10**9, "most": 10}, rows=10)
    of_shard = {"shard": 1, "first": 7, "below": 10**9, "most": 10}
    yield Case("trail_proof.digests_of_shard", of_shard, rows=60)
    yield Case("trail_proof.digests_of", {"numbers": [7, 78, 10**9]}, rows=3)
    yield Case("trail_proof.dropped_months", rows=100)
    yield Case("trail_retention.months", rows=100)
    yield Case("trail.behind", {"most": 10}, rows=50)
    yield Case("trail_reads.written_end", rows=2)
    yield Case("trail_reads.days", {"until": date(2020, 1, 1), "most": 10}, rows=20)
    yield Case("trail_reads.recorded_at", {"numbers": [1, 2000]}, rows=2)
