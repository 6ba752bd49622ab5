"""The same for the queries of policies: what is kept, what is due, runs, and what will be."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

from psycopg.types.json import Json, Jsonb

from tests.integration.plan_questions import NOW, Case, identifier

BEFORE, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_STREAMS = [
    ("created", "created", "delete"),
    ("superseded", "superseded", "delete"),
    ("archived 0", "archived", "delete"),
    ("deleted", "deleted", "purge"),
    ("expiring", "expires", "expire"),
]


def cases() -> Iterator[Case]:
    yield from _of_policies()
    yield from _of_policy_runs()
    yield from _of_forecasts()


def _of_policies() -> Iterator[Case]:
    kept = [
        {"name": name, "policy": {"name": name}, "age_microseconds": 5}
        for name in ("policy 78", "new")
    ]
    yield Case("policies.version", rows=1)
    yield Case("policies.read", rows=1001)
    yield Case("policies.get", {"name": "policy 78"}, rows=1)
    yield Case("policies.hold", rows=1)
    yield Case("policies.wait_for_actors")
    yield Case("policies.keep", {"items": Json(kept)}, rows=4)
    yield Case("policies.remove", {"names": ["policy 78", "unknown"]}, rows=4)
    yield Case("policies.advance", rows=2)


def _of_policy_runs() -> Iterator[Case]:
    run, nil, last = identifier("run 78"), UUID(int=0), UUID(int=2**128 - 1)
    yield Case("policy_runs.get", {"run_id": run}, rows=1)
    yield Case("policy_runs.page", {"before_id": last, "limit": 10}, rows=10)
    of_policy = {"policy": "policy 78", "before_id": last, "limit": 10}
    yield Case("policy_runs.page_of_policy", of_policy, rows=10)
    yield Case("policy_runs.under_way", {"limit": 10}, rows=1000)
    claim = {"artifact_id": identifier("artifact 77")}
    yield Case("policy_actions.kind_of", claim, rows=2)
    yield Case("policy_actions.judge", claim | {"at": LATER}, rows=10)
    sending = {"at": NOW, "again_at": LATER, "limit": 10, "most_sends": 5, "given_up": "why"}
    yield Case("policy_actions.take_unsent", sending, rows=30)
    yield Case("policy_runs.count_outcomes", {"run_id": run, "at": NOW, "limit": 10}, rows=30)
    ranked = 1_100  # of a long chain: for each that is due, a hundred newer ones, at most
    for stream, clock, kind in _STREAMS:
        found = {"streams": [stream], "at": LATER, "cutoff": LATER, "limit": 10}
        yield Case("policy_runs.is_due", found, rows=1)
        policy = {"name": "policy 78", "kind": kind, "clock": clock, "keep_last": 3}
        place = {"policy": Jsonb(policy), "stream": stream, "after_at": BEFORE, "after_id": nil}
        yield Case("policy_candidates.page", found | place, rows=ranked)
    first = {"run_id": run, "streams": ["created"], "limit": 10, "at": LATER, "first_send": LATER}
    yield Case("policy_runs.claim_due", first, rows=100)


def _of_forecasts() -> Iterator[Case]:
    nil = UUID(int=0)
    yield Case("policy_history.limit_time", {"timeout": "5000ms"})
    for stream, clock, kind in _STREAMS:
        policy = {"name": "p", "kind": kind, "clock": clock, "keep_last": 3}
        ahead = {"policy": Jsonb(policy), "age_seconds": 0.0, "since": NOW, "until": LATER}
        place = {"after_at": BEFORE, "after_id": nil, "limit": 10}
        yield Case("policy_history.forecast", ahead | place | {"stream": stream}, rows=150)
        replayed = ahead | {"since": BEFORE, "after_id": nil, "limit": 10}
        yield Case("policy_history.simulate", replayed, rows=150)
    # As many as there are until the last day that is there.
    half_a_year = {"first_day": date(2026, 11, 20), "last_day": date(2027, 5, 19)}
    yield Case("byte_history.read", half_a_year, rows=30 * 183)
