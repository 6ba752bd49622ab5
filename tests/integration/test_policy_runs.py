"""Runs of policies: what is due is claimed, acted on once, and counted; the rest says why not."""

import pytest

from shared.errors import PolicyNotFound, PolicyRunNotFound
from shared.models.holds import HoldRequest
from shared.models.ids import new_id
from shared.models.policy_runs import RunStatus, Selection
from shared.models.registrations import UNATTRIBUTED
from shared.repositories.policy_runs import PolicyRunRepository
from tests.integration.policing import (
    COOL,
    DAY,
    DELETE,
    EXPIRE,
    ORIGIN,
    PURGE,
    Policing,
    policing,
)

__all__ = ["policing"]  # a fixture that is asked for by its name


def test_old_revisions_are_cooled_by_schedule(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    new = policing.upload("v2", b"two")
    name = policing.enforce(COOL)
    policing.run_scheduled()
    assert policing.runs.list_runs().runs == [], "nothing was due: nothing is told"
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    assert (policing.tier("v1"), policing.tier("v2")) == ("Cool", "Hot")
    assert (policing.state(old), policing.state(new)) == ("archived", "live")
    run = policing.latest(name)
    assert (run.status, run.selected, run.acted, run.bytes) == (RunStatus.FINISHED, 1, 1, 3)
    assert (run.refused, run.errors, policing.claims()) == ({}, 0, [])
    (event,) = policing.events("status_update")
    superseded_at = policing.artifacts.get_by_id(old.artifact_id).superseded_at
    assert superseded_at
    assert (event["actor"], event["request_id"]) == (f"policy:{name}", str(run.run_id))
    assert event["details"] == {
        "before": {"disposition": "live", "storage_tier": None},
        "after": {"disposition": "archived", "storage_tier": "Cool"},
        "policy": name,
        "policy_run": str(run.run_id),
        "clock": "superseded",
        "clock_at": superseded_at.isoformat(),
        "revision_rank": 2,
    }
    policing.run_scheduled()
    assert policing.latest(name) == run, "there is nothing left to do"


def test_from_upload_to_purge_the_record_is_kept(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.enforce(DELETE)
    policing.enforce(PURGE)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    assert (policing.state(old), policing.is_there("v1")) == ("deleted", True)
    policing.clock.now += 89 * DAY
    policing.run_scheduled()
    assert policing.is_there("v1"), "not before its time"
    policing.clock.now += 2 * DAY
    policing.run_scheduled()
    assert (policing.state(old), policing.is_there("v1")) == ("purged", False)
    assert policing.is_there("v2")
    kept = policing.artifacts.get_by_id(old.artifact_id)
    assert (kept.content_hash, kept.superseded_by) == (old.content_hash, kept.superseded_by)
    assert policing.events("status_update")[-1]["details"]["bytes"] == "removed"


def test_what_has_an_end_is_deleted_then(policing: Policing) -> None:
    made = policing.upload("v1", b"one", expires_at=policing.clock.now + DAY)
    policing.enforce(EXPIRE)
    policing.run_scheduled()
    assert policing.state(made) == "live"
    policing.clock.now += DAY
    policing.run_scheduled()
    assert policing.state(made) == "deleted"


def test_bytes_that_are_gone_already_count_as_purged_and_it_says_so(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.artifacts.mark_deleted(old.artifact_id)
    policing.uploads.container.delete_blob("v1")
    policing.enforce(PURGE)
    policing.clock.now += 91 * DAY
    policing.run_scheduled()
    assert policing.state(old) == "purged"
    assert policing.events("status_update")[-1]["details"]["bytes"] == "gone already"


def test_a_revision_that_was_overwritten_in_place_never_tiers_the_live_bytes(
    policing: Policing,
) -> None:
    old = policing.upload("same", b"one")
    policing.upload("same", b"two")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    assert (policing.tier("same"), policing.state(old)) == ("Hot", "live")
    assert policing.latest(name).refused == {"shared location": 1}


def test_a_run_that_overlaps_is_skipped_and_says_so(policing: Policing) -> None:
    policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    assert policing.runs.start_due() == 1
    assert policing.runs.start_due() == 0
    asked = policing.runs.run(name, ORIGIN)
    assert asked.status is RunStatus.SKIPPED
    policing.work()
    under_way = policing.runs.get(asked.skipped_for or new_id())
    assert (under_way.status, under_way.acted) == (RunStatus.FINISHED, 1)
    assert policing.runs.run(name, ORIGIN).status is RunStatus.FINISHED


def test_who_asks_for_a_run_is_answered_with_what_it_did(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    held = policing.upload("v2", b"two")
    policing.upload("v3", b"three")
    policing.hold(held)
    name = policing.enforce(COOL, enabled=False)
    policing.clock.now += 31 * DAY
    looked = policing.runs.run(name, ORIGIN, dry_run=True)
    assert (looked.acted, looked.bytes, looked.refused) == (1, 3, {"hold": 1})
    assert policing.runs.list_runs().runs == []
    assert [event["operation"] for event in policing.events("policy_dry_run")] == ["policy_dry_run"]
    assert policing.state(old) == "live"
    done = policing.runs.run(name, ORIGIN)
    assert (done.status, done.acted, done.bytes) == (RunStatus.FINISHED, 1, 3)
    assert done.refused == {"hold": 1}
    assert done == policing.runs.get(done.run_id)
    assert (policing.state(old), policing.tier("v1")) == ("archived", "Cool")
    (ended,) = policing.events("policy_run")
    assert ended["details"] == {
        "policy": name,
        "policy_run": str(done.run_id),
        "acted": 1,
        "bytes": 3,
        "refused": {"hold": 1},
        "errors": 0,
    }


def test_what_one_policy_claims_is_in_use_for_another(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.enforce(COOL, priority=1)
    policing.enforce(DELETE, priority=2)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    assert policing.state(old) == "archived"
    assert policing.latest(DELETE["name"]).refused == {"in use": 1}


def test_bytes_that_lie_colder_already_are_taken_as_they_lie(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.uploads.container.get_blob_client("v1").set_standard_blob_tier("Cold")
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    assert policing.runs.run(name, ORIGIN).acted == 1
    assert policing.tier("v1") == "Cold"
    assert policing.artifacts.get_by_id(old.artifact_id).storage_tier == "Cold"


def test_refused_ones_keep_nobody_behind_them_waiting(policing: Policing) -> None:
    """More of them than a request looks at in one transaction, in front of one that is due."""
    for number in range(105):
        for _ in range(2):
            policing.artifacts.create_artifact(
                client_type="held", client_refs={"name": number}, overwrite=True
            )
    due = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    wanted = HoldRequest.model_validate({"selector": {"client_type": "held"}, "reason": "why"})
    policing.holds.place(wanted, UNATTRIBUTED)
    name = policing.enforce(DELETE)
    policing.clock.now += 31 * DAY
    run = policing.runs.run(name, ORIGIN)
    assert (run.acted, run.refused) == (1, {"hold": 105})
    assert policing.state(due) == "deleted"


def test_a_page_takes_up_where_the_last_one_ended(policing: Policing) -> None:
    """As ticks do, of which each may be another process."""
    made = [policing.upload(f"v{number}", b"%d" % number) for number in range(6)]
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.runs.start_due()
    (run,) = policing.runs.list_runs(name).runs
    selection = Selection(run.run_id, policing.policies.in_force(name).as_json(), True)
    claimed: list[object] = []
    is_selecting: bool | None = True
    while is_selecting:
        with policing.database.connection() as connection, connection.transaction():
            page = PolicyRunRepository(connection).claim_due(
                selection, 2, policing.clock(), policing.clock()
            )
        claimed += page.artifact_ids
        is_selecting = page.is_selecting
    assert sorted(map(str, claimed)) == sorted(str(each.artifact_id) for each in made[:-1])
    policing.work()
    assert policing.latest(name).acted == 5


def test_runs_are_listed_newest_first_also_of_policies_that_are_gone(policing: Policing) -> None:
    for base in (COOL, DELETE):
        policing.enforce(base)
    made = [policing.runs.run(base["name"], ORIGIN) for base in (COOL, DELETE, COOL)]
    policing.policies.remove(COOL["name"], UNATTRIBUTED)
    first = policing.runs.list_runs(limit=2)
    assert [run.run_id for run in first.runs] == [made[2].run_id, made[1].run_id]
    rest = policing.runs.list_runs(limit=2, cursor=first.next)
    assert ([run.run_id for run in rest.runs], rest.next) == ([made[0].run_id], None)
    of_cool = policing.runs.list_runs(COOL["name"]).runs
    assert [run.run_id for run in of_cool] == [made[2].run_id, made[0].run_id]


def test_what_is_not_known_is_said_to_be_so(policing: Policing) -> None:
    with pytest.raises(PolicyNotFound):
        policing.runs.run("none", ORIGIN)
    with pytest.raises(PolicyRunNotFound):
        policing.runs.get(new_id())
