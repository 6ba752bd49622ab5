"""Locked policies: they stay, their age only grows, and they hold once they are there."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import InvalidInput, PolicyLocked
from shared.models.policies import Policy
from shared.services.policies import PolicyService
from tests.end_to_end.waiting import wait_for
from tests.integration.clock import TickingClock
from tests.integration.drafting import policy, policy_list
from tests.integration.locks import somebody_waits
from tests.integration.test_policies import put_foreign

LOCKED: dict[str, Any] = {"locked": True, "keep_last": 2, "selector": {"container": "evidence"}}


def locked(**fields: Any) -> Policy:
    return policy("keep", **LOCKED | fields)


@pytest.fixture
def policies(database: Database, clock: TickingClock) -> PolicyService:
    service = PolicyService(database, clock)
    service.apply(policy_list(locked(), policy("one")))
    return service


@pytest.mark.parametrize(
    "after",
    [
        {"age": "P31D"},
        {"age": "P1M"},
        {"keep_last": 3},
        {"priority": 1},
    ],
)
def test_what_is_locked_may_retain_more(policies: PolicyService, after: dict[str, Any]) -> None:
    policies.put(locked(**after))
    assert policies.in_force("keep") == locked(**after)


@pytest.mark.parametrize(
    "after",
    [
        {"age": "P29DT23H59M59.999999S"},
        {"age": "P31D", "keep_last": 1},
        {"locked": False},
        {"locked": False, "enabled": False},
        {"kind": "purge", "clock": "deleted", "keep_last": 0},
        {"clock": "superseded"},
        {"selector": {"container": "evidence", "client_type": "ddh"}},
        {"selector": {}},
    ],
)
def test_what_is_locked_never_retains_less(policies: PolicyService, after: dict[str, Any]) -> None:
    less = locked(**after)
    for dry_run in (False, True):
        with pytest.raises(PolicyLocked, match="'keep'"):
            policies.apply(policy_list(less, policy("new")), dry_run=dry_run)
    with pytest.raises(PolicyLocked):
        policies.put(less)
    assert policies.read().policies == [locked(), policy("one")]


def test_what_is_locked_is_never_removed(policies: PolicyService) -> None:
    with pytest.raises(PolicyLocked):
        policies.remove("keep")
    for dry_run in (False, True):
        with pytest.raises(PolicyLocked):
            policies.apply(policy_list(policy("one")), dry_run=dry_run)
    assert policies.read().version == 2


def test_what_is_not_locked_becomes_so_and_other_policies_change_beside_it(
    policies: PolicyService,
) -> None:
    policies.put(policy("one", age="P1D", locked=True))
    policies.put(policy("two"))
    policies.remove("two")
    with pytest.raises(PolicyLocked):
        policies.put(policy("one"))


def test_what_another_version_locked_is_left_to_it(
    policies: PolicyService, sql: psycopg.Connection[DictRow]
) -> None:
    put_foreign(sql, locked=True)
    with pytest.raises(PolicyLocked):
        policies.remove("foreign")
    with pytest.raises(PolicyLocked):
        policies.put(policy("foreign", locked=True))
    policies.put(policy("two"))


def test_a_hundred_are_locked_at_most(policies: PolicyService) -> None:
    many = [policy(f"of-{n}", locked=True) for n in range(99)]
    policies.apply(policy_list(locked(), *many))
    for change in (policies.put, policies.create):
        with pytest.raises(InvalidInput, match="100"):
            change(policy("more", locked=True))
    policies.put(policy("more"))


def test_a_policy_is_locked_once_nobody_acts_who_did_not_know_it(
    policies: PolicyService, database_url: str, sql: psycopg.Connection[DictRow]
) -> None:
    """Whoever acts shares the lock of holds: see `registry.move_disposition`."""
    with psycopg.connect(database_url) as acting, ThreadPoolExecutor(1) as thread:
        acting.execute("SELECT pg_advisory_xact_lock_shared(hashtext('registry.holds'), 0)")
        policies.put(policy("two"))  # one that is not locked waits for nobody
        locking = thread.submit(policies.put, policy("two", locked=True))
        wait_for("whoever locks", lambda: somebody_waits(sql))
        assert policies.in_force("two") == policy("two")
        policies.put(policy("three"))  # whoever waits keeps nobody else from changing policies
        acting.commit()
        assert locking.result(timeout=30).changed[0].after == policy("two", locked=True)


REWRITES = [
    """(policy::jsonb || '{"locked": false}')""",
    """(policy::jsonb || '{"kind": "purge"}')""",
    """(policy::jsonb || '{"clock": "deleted"}')""",
    "(policy::jsonb - 'selector')",
    "(policy::jsonb - 'locked')",
]
REFUSED = [
    "DELETE FROM registry.policies",
    "UPDATE registry.policies SET age_seconds = age_seconds - 0.000001",
    """UPDATE registry.policies SET name = 'x', policy = '{"name": "x", "locked": true}'""",
    *(
        f"UPDATE registry.policies SET policy = {rewrite}::json"  # noqa: S608 - texts of ours
        for rewrite in REWRITES
    ),
]


@pytest.mark.parametrize("statement", REFUSED)
def test_no_statement_weakens_what_is_locked(
    policies: PolicyService, sql: psycopg.Connection[DictRow], statement: str
) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation, match="locked policy"):
        sql.execute(f"{statement} WHERE name = 'keep'".encode())
    assert sql.execute(f"{statement} WHERE name = 'one'".encode()).rowcount == 1


SET_STATEMENTS = [
    "UPDATE registry.policy_set SET version = version",
    "UPDATE registry.policy_set SET version = -1",
    "DELETE FROM registry.policy_set",
    "INSERT INTO registry.policy_set (version) VALUES (9)",
    """INSERT INTO registry.policies VALUES ('other', '{"name": "one"}', 0)""",
    "INSERT INTO registry.policies VALUES ('other', '{}', 0)",
    """INSERT INTO registry.policies VALUES ('other', '["name"]', 0)""",
    """INSERT INTO registry.policies VALUES ('other', '{"name": "other"}', -1)""",
]


@pytest.mark.parametrize("statement", SET_STATEMENTS)
def test_what_would_break_the_policies_as_a_document_is_refused(
    policies: PolicyService, sql: psycopg.Connection[DictRow], statement: str
) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        sql.execute(statement.encode())
    assert policies.read().version == 2
