"""The life of an API key: another expiry, rotation, the end; and its trail."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import (
    InvalidInput,
    KeyEnded,
    KeyNotFound,
    KeyRejected,
    PreconditionFailed,
    ScopeMissing,
)
from shared.models.api_keys import ApiKey, KeyState, Scope
from shared.models.entity_tags import entity_tag
from shared.models.registrations import Origin
from shared.services.api_keys import MAXIMUM_OVERLAP, ApiKeyService
from tests.integration.clock import TickingClock
from tests.integration.locks import somebody_waits

ORIGIN = Origin("key:tester", "request-1")
UNKNOWN = UUID(int=7)
DAY = timedelta(days=1)


@pytest.fixture
def keys(database: Database, clock: TickingClock) -> ApiKeyService:
    return ApiKeyService(database, "pepper-of-at-least-thirty-two-bytes", clock)


def is_good(keys: ApiKeyService, text: str) -> bool:
    try:
        keys.authenticate(text)
    except KeyRejected:
        return False
    return True


def events(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute("SELECT * FROM registry.outbox ORDER BY position").fetchall()


def test_a_key_is_read_back_as_it_was_made(keys: ApiKeyService, clock: TickingClock) -> None:
    expiry = (clock.now + DAY).astimezone(timezone(timedelta(hours=5.5)))
    made = keys.create("ci", [Scope.WRITE, Scope.READ], expiry)
    assert keys.get(made.key_id) == made.key
    assert entity_tag(keys.get(made.key_id)) == entity_tag(made.key)
    assert made.key.model_dump(mode="json")["scopes"] == ["read", "write"]


def test_a_revoked_key_is_over_at_once_and_the_instant_stays(keys: ApiKeyService) -> None:
    made = keys.create("ci", [Scope.READ])
    first = keys.revoke(made.key_id)
    again = keys.revoke(made.key_id)
    assert not is_good(keys, made.text)
    assert first.revoked_at is not None
    assert first == again == keys.get(made.key_id)


def test_an_expiry_is_put_off_and_taken_away(keys: ApiKeyService, clock: TickingClock) -> None:
    made = keys.create("ci", [Scope.READ], clock.now + timedelta(seconds=30))
    keys.change_expiry(made.key_id, clock.now + DAY)
    clock.now += timedelta(hours=1)
    assert is_good(keys, made.text)
    keys.change_expiry(made.key_id, None)
    clock.now += timedelta(days=4000)
    assert is_good(keys, made.text)


def test_an_expiry_can_come_sooner(keys: ApiKeyService, clock: TickingClock) -> None:
    made = keys.create("ci", [Scope.READ])
    keys.change_expiry(made.key_id, clock.now + timedelta(seconds=10))
    clock.now += timedelta(seconds=10)
    assert not is_good(keys, made.text)


def expire(keys: ApiKeyService, key_id: UUID, clock: TickingClock) -> None:
    keys.change_expiry(key_id, clock.now + timedelta(seconds=5))
    clock.now += timedelta(minutes=1)


def revoke(keys: ApiKeyService, key_id: UUID, clock: TickingClock) -> None:
    keys.revoke(key_id)


@pytest.mark.parametrize("end", [expire, revoke])
def test_what_is_over_stays_over(
    keys: ApiKeyService,
    clock: TickingClock,
    end: Callable[[ApiKeyService, UUID, TickingClock], None],
) -> None:
    made = keys.create("ci", [Scope.READ])
    end(keys, made.key_id, clock)
    over = keys.get(made.key_id)
    with pytest.raises(KeyEnded):
        keys.change_expiry(made.key_id, clock.now + DAY)
    with pytest.raises(KeyEnded):
        keys.rotate(made.key_id)
    assert keys.get(made.key_id) == over
    assert not is_good(keys, made.text)


def test_a_rotated_key_overlaps_with_its_successor(
    keys: ApiKeyService, clock: TickingClock
) -> None:
    old = keys.create("ci", [Scope.READ, Scope.WRITE])
    new = keys.rotate(old.key_id, timedelta(hours=2))
    ending = keys.get(old.key_id)
    assert is_good(keys, old.text)
    assert (new.key.name, new.key.scopes) == (old.key.name, old.key.scopes)
    assert (new.key.rotated_from, ending.replaced_by) == (old.key_id, new.key_id)
    assert (new.key.expires_at, new.key.replaced_by) == (None, None)
    assert keys.get(new.key_id) == new.key
    clock.now += timedelta(hours=2)
    assert not is_good(keys, old.text)
    assert is_good(keys, new.text)


def test_by_default_a_rotated_key_goes_on_for_a_day(
    keys: ApiKeyService, clock: TickingClock
) -> None:
    old = keys.create("ci", [Scope.READ])
    keys.rotate(old.key_id)
    assert keys.get(old.key_id).expires_at == clock.now + DAY


def test_without_an_overlap_a_rotated_key_ends_at_once(keys: ApiKeyService) -> None:
    old = keys.create("ci", [Scope.READ])
    new = keys.rotate(old.key_id, timedelta(0))
    assert (is_good(keys, old.text), is_good(keys, new.text)) == (False, True)


def test_an_overlap_makes_no_key_live_longer(keys: ApiKeyService, clock: TickingClock) -> None:
    expiry = clock.now + timedelta(hours=1)
    old = keys.create("ci", [Scope.READ], expiry)
    keys.rotate(old.key_id, DAY)
    assert keys.get(old.key_id).expires_at == expiry


def test_a_successor_lives_as_long_as_its_predecessor_was_to(
    keys: ApiKeyService, clock: TickingClock
) -> None:
    old = keys.create("ci", [Scope.READ], clock.now + 30 * DAY)
    assert old.key.expires_at is not None
    clock.now += 20 * DAY
    new = keys.rotate(old.key_id)
    assert new.key.expires_at is not None
    lifetime = old.key.expires_at - old.key.created_at
    assert new.key.expires_at - new.key.created_at == lifetime


def test_the_longest_lifetime_can_be_rotated(keys: ApiKeyService, clock: TickingClock) -> None:
    latest = datetime(9000, 1, 1, tzinfo=UTC)
    old = keys.create("ci", [Scope.READ], latest)
    clock.now += 4000 * DAY
    assert keys.rotate(old.key_id).key.expires_at == latest


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), MAXIMUM_OVERLAP + timedelta.resolution])
def test_an_overlap_out_of_bounds_is_refused(keys: ApiKeyService, overlap: timedelta) -> None:
    old = keys.create("ci", [Scope.READ])
    with pytest.raises(InvalidInput) as refused:
        keys.rotate(old.key_id, overlap)
    assert refused.value.pointer == "/overlap"
    assert keys.rotate(old.key_id, MAXIMUM_OVERLAP).key.rotated_from == old.key_id


def test_a_key_is_replaced_once(keys: ApiKeyService) -> None:
    old = keys.create("ci", [Scope.READ])
    new = keys.rotate(old.key_id)
    with pytest.raises(KeyEnded, match="replaced"):
        keys.rotate(old.key_id)
    assert keys.rotate(new.key_id).key.rotated_from == new.key_id


def test_rotations_at_once_make_one_successor(
    keys: ApiKeyService, sql: psycopg.Connection[DictRow]
) -> None:
    old = keys.create("ci", [Scope.READ])

    def rotate(_: int) -> bool:
        try:
            keys.rotate(old.key_id)
        except KeyEnded:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(rotate, range(8)))
    assert sum(outcomes) == 1
    assert len(keys.list_keys().keys) == 2
    assert [event["operation"] for event in events(sql)] == ["key_created", "key_rotated"]


def test_a_rotation_waits_for_a_revocation_and_then_is_none(
    keys: ApiKeyService, sql: psycopg.Connection[DictRow]
) -> None:
    old = keys.create("ci", [Scope.READ])
    with ThreadPoolExecutor(1) as threads:
        with sql.transaction():
            sql.execute("UPDATE registry.api_keys SET revoked_at = now()")
            rotation = threads.submit(keys.rotate, old.key_id)
            while not somebody_waits(sql):
                assert not rotation.done()
                time.sleep(0.01)
        with pytest.raises(KeyEnded):
            rotation.result(30)
    assert len(keys.list_keys().keys) == 1


def test_nobody_gives_what_they_do_not_have(keys: ApiKeyService) -> None:
    operator = keys.create("operator", list(Scope))
    administrator = {Scope.ADMIN}
    with pytest.raises(ScopeMissing, match="'read', 'write'"):
        keys.create("mine", list(Scope), grantable=administrator)
    with pytest.raises(ScopeMissing):
        keys.rotate(operator.key_id, grantable=administrator)
    assert keys.get(operator.key_id) == operator.key
    assert [key.name for key in keys.list_keys().keys] == ["operator"]
    assert keys.create("mine", [Scope.ADMIN], grantable=administrator).key.scopes == administrator


CHANGES: list[Callable[[ApiKeyService, UUID, frozenset[str] | None], object]] = [
    lambda keys, key_id, tags: keys.revoke(key_id, if_match=tags),
    lambda keys, key_id, tags: keys.rotate(key_id, if_match=tags),
    lambda keys, key_id, tags: keys.change_expiry(
        key_id, datetime(2100, 1, 1, tzinfo=UTC), if_match=tags
    ),
]
NAMES = ["revoke", "rotate", "change_expiry"]


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
def test_a_change_is_made_only_in_the_state_that_was_seen(
    keys: ApiKeyService, change: Callable[[ApiKeyService, UUID, frozenset[str] | None], object]
) -> None:
    made = keys.create("ci", [Scope.READ])
    seen = frozenset({entity_tag(made.key)})
    keys.change_expiry(made.key_id, datetime(2090, 1, 1, tzinfo=UTC))
    now = keys.get(made.key_id)
    for tags in (seen, frozenset[str]()):
        with pytest.raises(PreconditionFailed):
            change(keys, made.key_id, tags)
    assert keys.get(made.key_id) == now
    change(keys, made.key_id, frozenset({"other", entity_tag(now)}))
    assert keys.get(made.key_id) != now


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
def test_a_key_that_is_not_there_is_not_found(
    keys: ApiKeyService, change: Callable[[ApiKeyService, UUID, frozenset[str] | None], object]
) -> None:
    for tags in (None, frozenset({"*"})):
        with pytest.raises(KeyNotFound):
            change(keys, UNKNOWN, tags)
    with pytest.raises(KeyNotFound):
        keys.get(UNKNOWN)


def test_every_change_leaves_one_event_without_a_secret(
    keys: ApiKeyService, sql: psycopg.Connection[DictRow], clock: TickingClock
) -> None:
    made = keys.create("ci", [Scope.READ], origin=ORIGIN)
    expiry = datetime(2100, 1, 1, tzinfo=UTC)
    keys.change_expiry(made.key_id, expiry, ORIGIN)
    new = keys.rotate(made.key_id, origin=ORIGIN)
    ending = clock.now + DAY
    keys.revoke(new.key_id, ORIGIN)
    told = events(sql)
    assert [event["operation"] for event in told] == [
        "key_created",
        "key_expiry_changed",
        "key_rotated",
        "key_revoked",
    ]
    assert {(event["actor"], event["request_id"]) for event in told} == {
        (ORIGIN.actor, ORIGIN.request_id)
    }
    assert all(event["asset_id"] is event["artifact_id"] is None for event in told)
    details: list[dict[str, Any]] = [event["details"] for event in told]
    assert [UUID(detail["key_id"]) for detail in details] == [
        made.key_id,
        made.key_id,
        made.key_id,
        new.key_id,
    ]
    assert details[0]["scopes"] == ["read"]
    assert (details[1]["before"], details[1]["after"]) == (
        {"expires_at": None},
        {"expires_at": "2100-01-01T00:00:00Z"},
    )
    assert details[2]["after"] == {
        "expires_at": ending.isoformat().replace("+00:00", "Z"),
        "replaced_by": str(new.key_id),
    }
    assert made.text not in str(told)
    assert new.text not in str(told)


def test_what_changes_nothing_leaves_no_event(
    keys: ApiKeyService, sql: psycopg.Connection[DictRow]
) -> None:
    made = keys.create("ci", [Scope.READ])
    keys.revoke(made.key_id)
    keys.revoke(made.key_id)
    other = keys.create("other", [Scope.READ])
    keys.change_expiry(other.key_id, None)
    with pytest.raises(KeyEnded):
        keys.rotate(made.key_id)
    assert [event["operation"] for event in events(sql)] == [
        "key_created",
        "key_revoked",
        "key_created",
    ]


def test_a_change_whose_event_cannot_be_written_is_not_made(
    keys: ApiKeyService, sql: psycopg.Connection[DictRow]
) -> None:
    made = keys.create("ci", [Scope.READ])
    nameless = Origin("")
    for change in (
        lambda: keys.create("other", [Scope.READ], origin=nameless),
        lambda: keys.revoke(made.key_id, nameless),
        lambda: keys.rotate(made.key_id, origin=nameless),
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            change()
    assert keys.list_keys().keys == [made.key]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registry.api_keys SET revoked_at = NULL",
        "UPDATE registry.api_keys SET revoked_at = now() + interval '1 day'",
        "UPDATE registry.api_keys SET scopes = '{admin}'",
        "UPDATE registry.api_keys SET key_hash = sha256('x')",
        "UPDATE registry.api_keys SET name = 'other'",
        "DELETE FROM registry.api_keys",
    ],
)
def test_the_database_lets_nobody_rewrite_a_key(
    keys: ApiKeyService, sql: psycopg.Connection[DictRow], statement: str
) -> None:
    keys.revoke(keys.create("ci", [Scope.READ]).key_id)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        sql.execute(statement.encode())


def test_the_state_of_a_key_is_told_for_an_instant(clock: TickingClock) -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    fields: dict[str, Any] = {"key_id": UNKNOWN, "name": "k", "scopes": [], "created_at": instant}
    key = ApiKey.model_validate(fields | {"expires_at": instant})
    assert key.state_at(instant) is KeyState.EXPIRED
    assert key.state_at(instant - timedelta.resolution) is KeyState.ACTIVE
    revoked = ApiKey.model_validate(fields | {"expires_at": instant, "revoked_at": instant})
    assert revoked.state_at(instant) is KeyState.REVOKED
