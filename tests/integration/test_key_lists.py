"""Lists of API keys: complete, in pages, by index; and one look-up among any number of keys."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.errors import InvalidInput
from shared.models.api_keys import ApiKey, KeyState, Scope
from shared.models.cursors import write_cursor
from shared.repositories import api_keys
from shared.services.api_keys import ApiKeyService
from tests.integration.clock import TickingClock
from tests.integration.plans import touched

DAY = timedelta(days=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def keys(database: Database, clock: TickingClock) -> ApiKeyService:
    return ApiKeyService(database, "pepper-of-at-least-thirty-two-bytes", clock)


@pytest.fixture
def names(keys: ApiKeyService, clock: TickingClock) -> dict[KeyState, set[str]]:
    """Names of keys in every state, some of which end at one instant."""
    soon, later = clock.now + timedelta(hours=1), clock.now + DAY
    made: dict[KeyState, set[str]] = {state: set() for state in KeyState}
    for number in range(4):
        for state, expiry in (
            (KeyState.ACTIVE, None),
            (KeyState.ACTIVE, later + number // 2 * DAY),
            (KeyState.EXPIRED, soon),
            (KeyState.REVOKED, soon if number % 2 else None),
        ):
            name = f"{state} {number} {expiry}"
            key = keys.create(name, [Scope.READ], expiry)
            made[state].add(name)
            if state is KeyState.REVOKED:
                keys.revoke(key.key_id)
    clock.now = soon
    return made


def pages(keys: ApiKeyService, state: KeyState | None, limit: int) -> Iterator[list[ApiKey]]:
    page = keys.list_keys(state, limit=limit)
    yield page.keys
    while page.next:
        page = keys.list_keys(state, limit=limit, cursor=page.next)
        yield page.keys


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_each_list_tells_of_its_keys_once_however_it_is_paged(
    keys: ApiKeyService, names: dict[KeyState, set[str]], limit: int
) -> None:
    for state in KeyState:
        told = [key.name for page in pages(keys, state, limit) for key in page]
        assert sorted(told) == sorted(names[state])
    everything = [key.name for page in pages(keys, None, limit) for key in page]
    assert sorted(everything) == sorted(set[str]().union(*names.values()))


def test_a_last_page_that_is_full_says_that_it_is_the_last(
    keys: ApiKeyService, names: dict[KeyState, set[str]]
) -> None:
    assert [len(page) for page in pages(keys, KeyState.ACTIVE, 4)] == [4, 4]


def test_active_keys_come_by_the_next_end_and_others_newest_first(
    keys: ApiKeyService, names: dict[KeyState, set[str]]
) -> None:
    never = datetime.max.replace(tzinfo=UTC)
    ends = [key.expires_at or never for key in keys.list_keys(KeyState.ACTIVE).keys]
    assert ends == sorted(ends)
    for state in (None, KeyState.REVOKED):
        listed = keys.list_keys(state).keys
        assert all(newer.key_id > older.key_id for newer, older in pairwise(listed))


@pytest.mark.parametrize("limit", [0, 1001, -1])
def test_a_page_has_bounds(keys: ApiKeyService, limit: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        keys.list_keys(limit=limit)
    assert refused.value.pointer == "/limit"


@pytest.mark.parametrize("state", [None, *KeyState])
@pytest.mark.parametrize(
    "position", ["", "x", "/", "infinity/x", "soon/" + str(UUID(int=1)), "0001-01-01T00:00+23:59/x"]
)
def test_a_cursor_that_nobody_wrote_is_refused(
    keys: ApiKeyService, state: KeyState | None, position: str
) -> None:
    for cursor in (write_cursor(f"keys-{state or 'all'}", position), write_cursor("chain", 1), "é"):
        with pytest.raises(InvalidInput) as refused:
            keys.list_keys(state, cursor=cursor)
        assert refused.value.pointer == "/cursor"


def test_a_cursor_is_good_for_its_own_list_only(
    keys: ApiKeyService, names: dict[KeyState, set[str]]
) -> None:
    cursor = keys.list_keys(KeyState.REVOKED, limit=1).next
    with pytest.raises(InvalidInput):
        keys.list_keys(cursor=cursor)


FILL = """
INSERT INTO registry.api_keys (key_id, name, key_hash, scopes, created_at, expires_at, revoked_at)
SELECT md5(i::text)::uuid, 'key ' || i, sha256(i::text::bytea), '{read}', now(),
       CASE WHEN i % 4 > 0
            THEN '2025-12-30Z'::timestamptz + make_interval(days => i % 4, secs => i) END,
       CASE WHEN i % 5 = 0 THEN now() END
FROM generate_series(1, 100000) AS i;
ANALYZE registry.api_keys;
"""


def test_among_100_000_keys_every_look_is_by_index_and_touches_what_it_tells(
    sql: psycopg.Connection[DictRow],
) -> None:
    sql.execute(FILL.encode())
    row = sql.execute("SELECT sha256('77777') AS hash, md5('77777')::uuid AS id").fetchone()
    assert row
    one = {"key_id": row["id"]}
    ends = {"key_id": UUID(int=0), "limit": 101}
    presented = {"key_hash": row["hash"], "now": NOW - 9 * DAY}
    cases: dict[str, tuple[dict[str, Any], int]] = {
        "valid": (presented, 1),
        "valid_with_artifacts": (presented | {"artifact_ids": [UUID(int=0)]}, 1),
        "get": (one, 1),
        "hold": (one, 1),
        "all_below": (one | {"limit": 101}, 101),
        "revoked_below": (one | {"limit": 101}, 101),
        "ending_between": (ends | {"after": NOW.isoformat(), "until": "infinity"}, 101),
    }
    queries = load_queries(api_keys.__file__)
    for name, (parameters, bound) in cases.items():
        check_plan(sql, queries[name], parameters, bound)
    expired = ends | {"after": "-infinity", "until": NOW.isoformat()}
    check_plan(sql, queries["ending_between"], expired, 101)
    changes = {"add", "change_expiry", "revoke", "record_event", "limit_waiting"}
    assert queries.keys() == cases.keys() | changes


def check_plan(
    sql: psycopg.Connection[DictRow], statement: bytes, parameters: dict[str, Any], bound: int
) -> None:
    seen = touched(sql, statement, parameters)
    assert (seen.sequential, seen.scans) == ([], 0), statement
    assert 0 < seen.rows <= bound, (statement, seen)
    assert seen.entries <= 10 + 4 * bound, (statement, seen)
