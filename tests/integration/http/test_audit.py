"""The audit trail over HTTP."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import rfc8785

from devhost.stack.azurite import Azurite
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from shared.services.audit_surface import Audit
from tests.integration.audit_reading import ARTIFACTS, DAYS, RUN, Sql, everything, keep_history
from tests.integration.auditing import Trail, own_trail
from tests.integration.clock import TickingClock
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.conftest import build_registry

AUDIT = "/api/admin/audit"


@pytest.fixture
def trail(azurite: Azurite, unique_name: str) -> Iterator[Trail]:
    with own_trail(azurite.connection_string, unique_name) as trail:
        yield trail


@pytest.fixture
def registry(
    database: Database, artifacts: ArtifactService, trail: Trail, clock: TickingClock
) -> Registry:
    registry = build_registry(database, artifacts)
    return replace(registry, audit=Audit.of(database, trail.table, clock))


@pytest.fixture
def history(registry: Registry, sql: Sql, clock: TickingClock, trail: Trail) -> list[int]:
    """Numbers of the events of several months, newest first."""
    registry.audit.relay.relay(60)  # whatever the fixtures did
    keep_history(sql, registry.audit.relay, clock)
    return [event.number for event in everything(trail)]


def told(caller: Caller, path: str = "", **parameters: Any) -> dict[str, Any]:
    answer = caller.get(AUDIT + path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_events_come_newest_first_page_by_page_each_as_it_is_hashed(
    operator: Caller, history: list[int], sql: Sql
) -> None:
    page = told(operator, limit=20)
    events, pages = page["events"], 1
    while page["next"]:
        page, pages = told(operator, limit=20, cursor=page["next"]), pages + 1
        events += page["events"]
    assert pages == 1 + (len(history) - 1) // 20
    assert [event["number"] for event in events] == history
    rows = sql.execute("SELECT hash FROM registry.trail ORDER BY number DESC").fetchall()
    hashes = [hashlib.sha256(rfc8785.dumps(event)).digest() for event in events]
    assert hashes == [row["hash"] for row in rows]


def test_a_query_is_narrowed_by_what_it_names(
    operator: Caller, history: list[int], trail: Trail
) -> None:
    events = everything(trail)
    for asked, expected in [
        ({"artifact_id": ARTIFACTS[1]}, [e for e in events if e.artifact_id == ARTIFACTS[1]]),
        ({"run_id": RUN, "success": "false"}, [e for e in events if e.run_id and not e.success]),
        ({"operation": "status_update"}, [e for e in events if e.operation == "status_update"]),
        ({"action": "create"}, [e for e in events if e.action == "create"]),
        ({"actor": "function:policies"}, [e for e in events if e.actor == "function:policies"]),
        (
            {"start": DAYS[1].isoformat(), "end": "2026-02-01T00:00:00Z"},
            [e for e in events if DAYS[1] <= e.time < DAYS[2]],
        ),
    ]:
        assert expected
        numbers = [event["number"] for event in told(operator, "", **asked)["events"]]
        assert numbers == [event.number for event in expected], asked
    assert told(operator, operation="' or '1' eq '1")["events"] == []


def test_what_failed_is_counted(operator: Caller, history: list[int]) -> None:
    assert told(operator, "/errors", start=DAYS[1].isoformat()) == {
        "total_errors": 6,
        "errors_by_operation": {"status_update": 6},
        "errors_by_reason": {"artifact-held": 6},
        "next": None,
    }


def test_the_trail_is_for_those_who_may_do_everything(
    reader: Caller, writer: Caller, anonymous: Caller, operator: Caller
) -> None:
    for path in ("", "/errors"):
        for caller in (reader, writer):
            problem(caller.get(AUDIT + path), 403, "scope-missing")
        problem(anonymous.get(AUDIT + path), 401, "key-rejected")
        assert operator.get(AUDIT + path).status_code == 200


REFUSED = [
    ("artifact_id=1", "/artifact_id"),
    ("run_id=", "/run_id"),
    ("operation=", "/operation"),
    ("actor=%00", "/actor"),
    ("success=perhaps", "/success"),
    ("start=2026-01-01", "/start"),
    ("end=yesterday", "/end"),
    ("limit=0", "/limit"),
    ("limit=1001", "/limit"),
    ("cursor=x", "/cursor"),
    ("user=me", "/user"),
    ("operation=a&operation=b", "/operation"),
]


def test_what_cannot_be_meant_is_refused(operator: Caller) -> None:
    for query, pointer in REFUSED:
        refused = problem(operator.get(f"{AUDIT}?{query}"), 422, "invalid-input")
        assert pointers(refused) == [pointer], query


def test_a_cursor_of_another_query_is_refused(operator: Caller, history: list[int]) -> None:
    cursor = told(operator, limit=1)["next"]
    for path, asked in (("", {"success": "true"}), ("/errors", {})):
        answer = operator.get(AUDIT + path, params={"cursor": cursor, **asked})
        assert pointers(problem(answer, 422, "invalid-input")) == ["/cursor"]
