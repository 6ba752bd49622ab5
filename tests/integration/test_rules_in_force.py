"""The rules that are in force: what every process goes by, and what no statement may do to them."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Json

from shared.database.pool import Database
from shared.errors import DatabaseUnavailable, RulesUnreadable
from shared.models.blobs import BlobReference
from shared.models.rules import RuleSet
from shared.services.rules import RuleService
from tests.integration.clock import TickingClock
from tests.integration.ruling import rule, rule_list

OTHERS_LOSE_THEIR_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
BLOB = BlobReference("account", "uploads", "flood/site-a.tif")


@pytest.fixture
def rules(database: Database, clock: TickingClock) -> RuleService:
    return RuleService(database, clock)


def matched(rules: RuleService) -> str | None:
    match = rules.current().match(BLOB)
    return match.rule.name if match else None


def test_a_change_made_elsewhere_is_in_force_at_the_next_look(
    rules: RuleService, database: Database, clock: TickingClock
) -> None:
    elsewhere = RuleService(database, clock)
    assert matched(rules) is None
    elsewhere.apply(rule_list(rule("one")))
    assert matched(rules) == "one"
    elsewhere.put(rule("first", priority=1))
    assert matched(rules) == "first"
    elsewhere.apply(rule_list(rule("one"), rule("first", enabled=False)))
    assert matched(rules) == "one"
    elsewhere.remove("one")
    assert matched(rules) is None


def test_rules_that_stayed_are_not_read_again(rules: RuleService) -> None:
    rules.apply(rule_list(rule("one")))
    known = rules.current()
    assert rules.current() is known
    rules.apply(rule_list(rule("one")))
    assert rules.current() is known
    rules.put(rule("other"))
    assert rules.current() is not known


def test_of_many_who_need_new_rules_at_once_one_reads_them(rules: RuleService) -> None:
    rules.apply(rule_list(*(rule(f"of-{n}") for n in range(200))))
    many = 6
    start = Barrier(many)

    def look(_: int) -> RuleSet:
        start.wait()
        return rules.current()

    with ThreadPoolExecutor(many) as threads:
        seen = list(threads.map(look, range(many)))
    assert all(each is seen[0] for each in seen)


def test_rules_are_read_while_others_are_being_written(
    rules: RuleService, database_url: str
) -> None:
    rules.apply(rule_list(rule("one")))
    with psycopg.connect(database_url) as writer:
        writer.execute("SELECT FROM registry.ingestion_rule_set FOR UPDATE")
        writer.execute("UPDATE registry.ingestion_rule_set SET version = 2")
        writer.execute("DELETE FROM registry.ingestion_rules")
        assert matched(rules) == "one"
        writer.commit()
        assert matched(rules) is None


def test_rules_that_may_be_old_are_not_gone_by(
    rules: RuleService, sql: psycopg.Connection[DictRow]
) -> None:
    rules.apply(rule_list(rule("one")))
    assert matched(rules) == "one"
    sql.execute(OTHERS_LOSE_THEIR_CONNECTIONS)
    with pytest.raises(DatabaseUnavailable):
        rules.current()
    assert matched(rules) == "one"


def test_nobody_goes_by_rules_that_only_another_version_reads_until_they_are_replaced(
    rules: RuleService, sql: psycopg.Connection[DictRow]
) -> None:
    rules.apply(rule_list(rule("one")))
    foreign = {"name": "foreign", "priority": "high", "zone": [{"b": 1, "a": 2}]}
    sql.execute("INSERT INTO registry.ingestion_rules VALUES ('foreign', %s)", [Json(foreign)])
    sql.execute("UPDATE registry.ingestion_rule_set SET version = 2")
    with pytest.raises(RulesUnreadable, match="'foreign'"):
        rules.current()
    assert [each.name for each in rules.read().rules] == ["foreign", "one"]
    assert json.loads(rules.get("foreign").model_dump_json()) == foreign
    rules.put(rule("other", enabled=False))
    with pytest.raises(RulesUnreadable):
        rules.current()
    removed = rules.apply(rule_list(rule("one"))).model_dump(mode="json")["removed"]
    assert removed[0] == foreign
    assert matched(rules) == "one"


REFUSED = [
    "UPDATE registry.ingestion_rule_set SET version = version",
    "UPDATE registry.ingestion_rule_set SET version = version - 1",
    "UPDATE registry.ingestion_rule_set SET version = -1",
    "DELETE FROM registry.ingestion_rule_set",
    "INSERT INTO registry.ingestion_rule_set (version) VALUES (9)",
    "INSERT INTO registry.ingestion_rule_set (is_only, version) VALUES (false, 9)",
    "UPDATE registry.ingestion_rules SET name = 'other'",
    "UPDATE registry.ingestion_rules SET name = ''",
    """INSERT INTO registry.ingestion_rules VALUES ('other', '{"name": "one"}')""",
    """INSERT INTO registry.ingestion_rules VALUES ('one', '{"name": "one"}')""",
    "INSERT INTO registry.ingestion_rules VALUES ('other', '{}')",
    """INSERT INTO registry.ingestion_rules VALUES ('other', '["name"]')""",
    "INSERT INTO registry.ingestion_rules VALUES ('other', 'null')",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_would_break_the_rules_as_a_document_is_refused(
    rules: RuleService, sql: psycopg.Connection[DictRow], statement: str
) -> None:
    rules.apply(rule_list(rule("one")))
    with pytest.raises(psycopg.errors.IntegrityError):
        sql.execute(statement.encode())
    assert rules.read().version == 1
