"""Ingestion rules: one document that is read, changed and versioned as a whole."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import InvalidInput, PreconditionFailed, RuleNotFound
from shared.models.entity_tags import entity_tag
from shared.models.registrations import Origin
from shared.models.rule_files import RuleFile
from shared.models.rules import RuleList
from shared.services.rules import RuleService, version_tag
from tests.integration.clock import TickingClock
from tests.integration.ruling import rule, rule_list

ORIGIN = Origin("key:operator", "request")
NONE = RuleFile(version=0, rules=[])
ONE, OTHER = rule("one"), rule("other", priority=5)


@pytest.fixture
def rules(database: Database, clock: TickingClock) -> RuleService:
    return RuleService(database, clock)


def events(sql: psycopg.Connection[DictRow]) -> list[tuple[str, dict[str, Any]]]:
    rows = sql.execute("SELECT operation, details FROM registry.outbox ORDER BY position")
    return [(row["operation"], row["details"]) for row in rows]


def test_at_first_there_are_no_rules(rules: RuleService) -> None:
    assert rules.read() == NONE
    assert rules.current().rules == ()


def test_what_is_applied_is_what_is_in_force(rules: RuleService) -> None:
    first = rules.apply(rule_list(OTHER, ONE))
    assert (first.version, first.added) == (1, [ONE, OTHER])
    assert (first.changed, first.removed, first.unchanged) == ([], [], 0)
    changed, new = rule("one", enabled=False), rule("new")
    second = rules.apply(rule_list(changed, new, OTHER))
    assert (second.version, second.added, second.removed, second.unchanged) == (2, [new], [], 1)
    assert [(each.name, each.before, each.after) for each in second.changed] == [
        ("one", ONE, changed)
    ]
    third = rules.apply(rule_list(new))
    assert (third.version, third.removed, third.unchanged) == (3, [changed, OTHER], 1)
    assert rules.read() == RuleFile(version=3, rules=[new])


def test_rules_come_back_exactly_as_they_were_written(rules: RuleService) -> None:
    refs = {"z": "{dataset_id}", "a": {"y": [1, 1.5, True, None, "é{{}}"], "b": 10**30}}
    written = rule("exact", client_refs=refs, metadata={"b": 1e30, "a": 1.0})
    rules.apply(rule_list(written))
    assert rules.read().rules[0].model_dump_json() == written.model_dump_json()
    read = rules.read().model_dump(include={"rules"})
    assert not rules.apply(RuleList.model_validate(read)).are_any


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (1, "1"), ({}, [])])
def test_values_that_are_equal_to_python_alone_are_a_change(
    rules: RuleService, before: Any, after: Any
) -> None:
    rules.apply(rule_list(rule("one", metadata={"value": before})))
    assert rules.apply(rule_list(rule("one", metadata={"value": after}))).changed


def test_changing_nothing_leaves_no_trace(
    rules: RuleService, sql: psycopg.Connection[DictRow]
) -> None:
    rules.apply(rule_list(ONE))
    told = events(sql)
    again = rules.apply(rule_list(ONE))
    assert (again.version, again.unchanged, again.are_any) == (1, 1, False)
    assert not rules.put(ONE).are_any
    assert events(sql) == told
    assert rules.read().version == 1


def test_a_dry_run_tells_the_same_and_changes_nothing(
    rules: RuleService, sql: psycopg.Connection[DictRow]
) -> None:
    rules.apply(rule_list(ONE))
    wanted = rule_list(rule("one", priority=7), OTHER)
    told = rules.apply(wanted, dry_run=True)
    assert told.version == 1
    assert rules.read() == RuleFile(version=1, rules=[ONE])
    assert len(events(sql)) == 1
    done = rules.apply(wanted, if_match=[version_tag(told.version)])
    assert done == told.model_copy(update={"version": 2})


def test_every_change_is_told_with_before_and_after(
    rules: RuleService, sql: psycopg.Connection[DictRow]
) -> None:
    changed = rule("one", priority=1)
    rules.apply(rule_list(ONE, OTHER), ORIGIN)
    rules.apply(rule_list(changed), ORIGIN)
    one, other, after = (each.model_dump(mode="json") for each in (ONE, OTHER, changed))
    assert events(sql) == [
        ("rule_created", {"rule": "one", "after": one}),
        ("rule_created", {"rule": "other", "after": other}),
        ("rule_removed", {"rule": "other", "before": other}),
        ("rule_changed", {"rule": "one", "before": one, "after": after}),
    ]
    rows = sql.execute("SELECT DISTINCT actor, request_id FROM registry.outbox").fetchall()
    assert rows == [{"actor": "key:operator", "request_id": "request"}]


def test_what_cannot_be_told_is_not_done(rules: RuleService) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        rules.apply(rule_list(ONE), Origin("x" * 256))
    assert rules.read() == NONE


def test_a_condition_names_the_version_that_was_seen(rules: RuleService) -> None:
    rules.apply(rule_list(ONE))
    for tags in ([version_tag(0)], [version_tag(2)], [], ["other"]):
        with pytest.raises(PreconditionFailed):
            rules.apply(rule_list(OTHER), if_match=tags)
        with pytest.raises(PreconditionFailed):
            rules.apply(rule_list(OTHER), if_match=tags, dry_run=True)
    assert rules.read() == RuleFile(version=1, rules=[ONE])
    rules.apply(rule_list(OTHER), if_match=["other", version_tag(1)])
    assert rules.apply(rule_list(ONE), if_match=["*"]).version == 3


def test_of_several_who_saw_the_same_one_applies(rules: RuleService) -> None:
    many = 6
    start = Barrier(many)

    def apply(place: int) -> int | None:
        start.wait()
        try:
            rules.apply(rule_list(rule(f"of-{place}")), if_match=[version_tag(0)])
        except PreconditionFailed:
            return None
        return place

    with ThreadPoolExecutor(many) as threads:
        won = [place for place in threads.map(apply, range(many)) if place is not None]
    assert len(won) == 1
    assert rules.read() == RuleFile(version=1, rules=[rule(f"of-{won[0]}")])


def test_those_who_set_no_condition_follow_each_other(
    rules: RuleService, sql: psycopg.Connection[DictRow]
) -> None:
    many = 6
    start = Barrier(many)

    def put(place: int) -> int:
        start.wait()
        return rules.put(rule(f"of-{place}")).version

    with ThreadPoolExecutor(many) as threads:
        versions = sorted(threads.map(put, range(many)))
    assert versions == list(range(1, many + 1))
    assert [each.name for each in rules.read().rules] == [f"of-{n}" for n in range(many)]
    assert len(events(sql)) == many


def test_one_rule_is_added_replaced_and_forgotten(rules: RuleService) -> None:
    rules.apply(rule_list(OTHER))
    assert rules.put(ONE).added == [ONE]
    changed = rule("one", priority=1)
    assert rules.put(changed, if_match=[entity_tag(ONE)]).changed[0].after == changed
    assert rules.get("one") == changed
    assert rules.remove("one", if_match=[entity_tag(changed)]).removed == [changed]
    assert rules.read() == RuleFile(version=4, rules=[OTHER])
    for unknown in (rules.get, rules.remove):
        with pytest.raises(RuleNotFound):
            unknown("one")


def test_a_condition_on_one_rule_names_its_state(rules: RuleService) -> None:
    with pytest.raises(PreconditionFailed):
        rules.put(ONE, if_match=["*"])  # there is none that could be in any state
    rules.apply(rule_list(ONE))
    for tags in ([entity_tag(OTHER)], [version_tag(1)], []):
        with pytest.raises(PreconditionFailed):
            rules.put(rule("one", priority=1), if_match=tags)
        with pytest.raises(PreconditionFailed):
            rules.remove("one", if_match=tags)
    assert rules.read() == RuleFile(version=1, rules=[ONE])


def test_rules_that_are_too_many_or_too_large_are_refused(rules: RuleService) -> None:
    rules.apply(rule_list(*(rule(f"of-{n}") for n in range(1000))))
    with pytest.raises(InvalidInput, match="1000"):
        rules.put(ONE)
    rules.remove("of-7")
    with pytest.raises(InvalidInput, match="bytes"):
        rules.put(rule("large", metadata={f"key{n}": "é" * 1000 for n in range(120)}))
    assert len(rules.read().rules) == 999
