"""What comes between claim and action, again, or not at all, and what fails."""

from datetime import timedelta

import pytest
from psycopg.types.json import Json

from shared.models.policy_runs import RunStatus
from tests.integration.policing import (
    COOL,
    DAY,
    DELETE,
    ORIGIN,
    Policing,
    policing,
)

__all__ = ["policing"]  # a fixture that is asked for by its name


def test_what_comes_between_claim_and_action_is_heard(policing: Policing) -> None:
    held, moved, due = (policing.upload(f"v{number}", b"%d" % number) for number in range(3))
    policing.upload("current", b"last")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.runs.start_due()
    assert policing.runs.advance() == 1
    policing.hold(held)
    policing.artifacts.mark_deleted(moved.artifact_id)
    policing.ask(held, moved, due)
    policing.work()
    run = policing.latest(name)
    assert (run.status, run.selected, run.acted) == (RunStatus.FINISHED, 3, 1)
    assert run.refused == {"hold": 1, "not due": 1}
    assert (policing.tier("v0"), policing.tier("v1"), policing.tier("v2")) == ("Hot", "Hot", "Cool")


def test_a_policy_that_was_changed_meanwhile_does_nothing_more(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.runs.start_due()
    policing.runs.advance()
    policing.enforce(COOL, enabled=False)
    policing.ask(old)
    policing.work()
    assert policing.latest(name).refused == {"policy changed": 1}
    assert policing.state(old) == "live"


def test_a_message_that_comes_twice_does_nothing_twice(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    policing.ask(old)
    policing.ask(old)
    assert len(policing.events("status_update")) == 1
    assert policing.latest(name).acted == 1


def test_what_was_claimed_and_never_done_is_sent_again(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.runs.start_due()
    policing.runs.advance()
    assert len(policing.sent()) == 1, "and whoever had it was killed"
    assert policing.runs.advance() == 0
    policing.clock.now += timedelta(hours=1)
    policing.work()
    assert policing.state(old) == "archived"


def test_what_fails_is_told_and_by_schedule_left_to_others_for_a_while(
    policing: Policing,
) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.uploads.container.delete_blob("v1")
    name = policing.enforce(COOL, priority=1)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    run = policing.latest(name)
    assert (run.status, run.acted, run.errors) == (RunStatus.FINISHED, 0, 1)
    assert [error.artifact_id for error in run.last_errors] == [old.artifact_id]
    assert policing.artifacts.get_by_id(old.artifact_id).missing_since, "it was looked at"
    policing.sql.execute("UPDATE registry.artifacts SET missing_since = NULL")  # nobody had looked
    policing.enforce(DELETE, priority=2)
    policing.run_scheduled()
    assert policing.latest(name).refused == {"failed lately": 1}
    assert policing.state(old) == "deleted"


def test_what_is_missing_is_not_archived_again(policing: Policing) -> None:
    policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.uploads.container.delete_blob("v1")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    assert policing.runs.run(name, ORIGIN).errors == 1
    assert policing.runs.run(name, ORIGIN).refused == {"bytes missing": 1}


def test_a_look_at_missing_bytes_that_fails_keeps_neither_claim_nor_run_open(
    policing: Policing, caplog: pytest.LogCaptureFixture
) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.uploads.container.delete_blob("v1")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    foreign = Json({"name": "foreign", "priority": "high"})
    policing.sql.execute("INSERT INTO registry.ingestion_rules VALUES ('foreign', %s)", [foreign])
    policing.sql.execute("UPDATE registry.ingestion_rule_set SET version = version + 1")
    policing.run_scheduled()
    run = policing.latest(name)
    assert (run.status, run.acted, run.errors) == (RunStatus.FINISHED, 0, 1)
    assert "overwritten or removed" in run.last_errors[0].detail
    assert policing.artifacts.get_by_id(old.artifact_id).missing_since is None
    assert f"artifact_id={old.artifact_id} reason=RulesUnreadable" in caplog.text
