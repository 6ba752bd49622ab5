"""Policies: one document, like rules; what is locked of it stays."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Json

from shared.database.migrate import MIGRATIONS
from shared.database.pool import Database
from shared.errors import (
    InvalidInput,
    PolicyExists,
    PolicyNotFound,
    PolicyUnreadable,
    PreconditionFailed,
)
from shared.models.entity_tags import entity_tag
from shared.models.policies import Policy
from shared.models.policy_files import PolicyFile
from shared.models.registrations import Origin
from shared.services.policies import PolicyService, version_tag
from tests.integration.clock import TickingClock
from tests.integration.drafting import policy, policy_list
from tests.integration.test_rules import events

ONE, OTHER = policy("one"), policy("other", priority=5)
MICROSECOND = timedelta(microseconds=1)
AT_FIRST = {
    "archive-old-revisions": False,
    "cool-superseded": True,
    "delete-candidates": False,
    "delete-expired": True,
    "delete-failed": False,
    "delete-intermediate": False,
    "delete-old": False,
    "delete-old-revisions": False,
    "purge-deleted": True,
}


@pytest.fixture
def policies(database: Database, clock: TickingClock) -> PolicyService:
    return PolicyService(database, clock)


@pytest.fixture
def applied(policies: PolicyService) -> PolicyService:
    """With two policies and no other."""
    policies.apply(policy_list(ONE, OTHER))
    return policies


def put_foreign(sql: psycopg.Connection[DictRow], name: str = "foreign", **fields: Any) -> None:
    told = {"name": name, "colour": None, **fields}
    sql.execute("INSERT INTO registry.policies VALUES (%s, %s, 0)", [name, Json(told)])


def test_at_first_there_are_policies_of_which_three_act(
    policies: PolicyService, sql: psycopg.Connection[DictRow]
) -> None:
    file = policies.read()
    assert file.version == 1
    assert {each.name: isinstance(each, Policy) and each.enabled for each in file.policies} == (
        AT_FIRST
    )
    rows = sql.execute("SELECT policy::text, age_seconds FROM registry.policies").fetchall()
    for row in rows:
        known = Policy.model_validate_json(row["policy"])
        assert row["policy"] == json.dumps(known.as_json())
        assert row["age_seconds"] == known.age.total_seconds()


def test_policies_that_are_kept_already_are_not_added_to(
    applied: PolicyService, sql: psycopg.Connection[DictRow]
) -> None:
    migration = (MIGRATIONS / "0022-default-policies.sql").read_text()
    sql.execute(f"WITH {migration.partition('WITH ')[2]}".encode())
    assert applied.read() == PolicyFile(version=2, policies=[ONE, OTHER])


def test_what_is_applied_is_all_that_there_is(policies: PolicyService) -> None:
    first = policies.apply(policy_list(OTHER, ONE))
    assert (first.version, first.added, len(first.removed)) == (2, [ONE, OTHER], len(AT_FIRST))
    changed = policy("one", enabled=False)
    second = policies.apply(policy_list(changed))
    assert (second.removed, second.changed[0].after) == ([OTHER], changed)
    assert policies.read() == PolicyFile(version=3, policies=[changed])
    assert not policies.apply(policy_list(changed)).are_any


def test_a_policy_comes_back_exactly_as_it_was_written(policies: PolicyService) -> None:
    metadata = {"z": None, "a": {"y": [1, 1.5, True, "é"], "b": 10**30}}
    written = policy("exact", age="P1DT0.000001S", selector={"metadata": metadata})
    policies.put(written)
    assert policies.in_force("exact").model_dump_json() == written.model_dump_json()


@pytest.mark.parametrize("age", ["PT0S", "PT0.000001S", "P1W2DT3H4M5.678901S", "P999Y"])
def test_an_age_is_the_same_to_the_database(
    policies: PolicyService, sql: psycopg.Connection[DictRow], age: str
) -> None:
    written = policy("one", age=age)
    policies.put(written)
    told = sql.execute("SELECT age_seconds FROM registry.policies WHERE name = 'one'").fetchone()
    assert told == {"age_seconds": Decimal(written.age // MICROSECOND) / 1_000_000}
    assert policies.in_force("one") == written


def test_every_change_is_told_with_before_and_after(
    policies: PolicyService, sql: psycopg.Connection[DictRow]
) -> None:
    origin = Origin("key:operator", "request")
    policies.create(ONE, origin)
    changed = policy("one", age="P31D")
    policies.put(changed, origin)
    policies.remove("one", origin)
    assert events(sql) == [
        ("policy_created", {"policy": "one", "after": ONE.as_json()}),
        ("policy_changed", {"policy": "one", "before": ONE.as_json(), "after": changed.as_json()}),
        ("policy_removed", {"policy": "one", "before": changed.as_json()}),
    ]
    assert "target_tier" not in ONE.as_json()


def test_a_policy_is_created_once(applied: PolicyService) -> None:
    with pytest.raises(PolicyExists):
        applied.create(policy("one", priority=1))
    assert applied.in_force("one") == ONE
    assert applied.create(policy("new")).version == 3


def test_a_change_is_made_in_the_state_that_was_seen(applied: PolicyService) -> None:
    for tags in ([version_tag(1)], [entity_tag(ONE)], []):
        with pytest.raises(PreconditionFailed):
            applied.apply(policy_list(ONE), if_match=tags)
    for tags in ([version_tag(2)], [entity_tag(OTHER)]):
        with pytest.raises(PreconditionFailed):
            applied.put(policy("one", priority=1), if_match=tags)
        with pytest.raises(PreconditionFailed):
            applied.remove("one", if_match=tags)
    told = applied.apply(policy_list(OTHER), dry_run=True)
    assert applied.read() == PolicyFile(version=2, policies=[ONE, OTHER])
    assert applied.apply(policy_list(OTHER), if_match=[version_tag(told.version)]).version == 3


def test_what_is_enabled_acts_by_priority_and_then_by_name(policies: PolicyService) -> None:
    off = policy("off", enabled=False, priority=1)
    policies.apply(policy_list(policy("b"), policy("a"), policy("c", priority=7), off))
    assert [each.name for each in policies.enabled()] == ["c", "a", "b"]
    assert policies.in_force("off") == off


def test_what_another_version_wrote_is_shown_and_not_gone_by(
    applied: PolicyService, sql: psycopg.Connection[DictRow], caplog: pytest.LogCaptureFixture
) -> None:
    put_foreign(sql)
    with pytest.raises(PolicyUnreadable, match="'foreign'"):
        applied.in_force("foreign")
    with pytest.raises(PolicyNotFound):
        applied.in_force("unknown")
    file = applied.read()
    assert file.unreadable == ["foreign"]
    assert '{"name":"foreign","colour":null}' in file.model_dump_json()
    assert [each.name for each in applied.enabled()] == ["other", "one"]
    assert "foreign" in caplog.text
    assert applied.remove("foreign").removed[0].as_json() == {"name": "foreign", "colour": None}


def test_policies_that_are_too_many_or_too_large_are_refused(policies: PolicyService) -> None:
    policies.apply(policy_list(*(policy(f"of-{n}") for n in range(1000))))
    with pytest.raises(InvalidInput, match="1000 policies"):
        policies.put(ONE)
    policies.remove("of-7")
    large = {"metadata": {f"key{n}": "é" * 1000 for n in range(160)}}
    with pytest.raises(InvalidInput, match="bytes"):
        policies.put(policy("large", selector=large))
    assert len(policies.read().policies) == 999
