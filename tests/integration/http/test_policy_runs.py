"""Previews and runs of policies over HTTP: what would be done, what is done, and how far it is."""

import json
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import DictRow

from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.models.artifacts import Artifact
from shared.models.ids import new_id
from shared.services import policy_runs
from shared.services.artifact_service import ArtifactService
from tests.integration.enforcing import Enforcing
from tests.integration.failing import OwnQueue
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.conftest import POLICY_ACTIONS, build_registry

RUNS = "/api/admin/policy-runs"
PREVIEW = "/api/admin/policies/delete-old/preview"
RUN = "/api/admin/policies/delete-old/run"


@pytest.fixture
def registry(database: Database, artifacts: ArtifactService, own_queue: OwnQueue) -> Registry:
    return build_registry(database, artifacts, queues={POLICY_ACTIONS: own_queue})


@pytest.fixture
def enforcing(registry: Registry, own_queue: OwnQueue) -> Enforcing:
    return Enforcing(registry, own_queue)


@pytest.fixture
def old(enforcing: Enforcing) -> list[Artifact]:
    """Revisions that are due by the policy `delete-old`; a fourth is their asset's current one."""
    return enforcing.revise(4)[:3]


@pytest.fixture
def admin(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("operator", list(Scope)).text)


def ids(told: list[dict[str, Any]]) -> list[str]:
    return [each["artifact_id"] for each in told]


def test_a_preview_tells_what_is_to_be_deleted_and_what_is_not_page_by_page(
    reader: Caller, enforcing: Enforcing, old: list[Artifact]
) -> None:
    enforcing.hold(old[1])
    first = reader.get(PREVIEW, params={"limit": 2}).json()
    assert ids(first["candidates"]) == [str(old[0].artifact_id)]
    assert first["refused"] == [{"artifact_id": str(old[1].artifact_id), "reason": "hold"}]
    assert (first["total"], first["bytes_freed"]) == (1, 10)
    second = reader.get(PREVIEW, params={"limit": 2, "cursor": first["next"]}).json()
    assert ids(second["candidates"]) == [str(old[2].artifact_id)]
    assert (second["total"], second["bytes_freed"], second["refused"]) == (2, 20, [])
    candidate = second["candidates"][0]
    assert candidate["reason"].startswith("delete-old: superseded 2026-01-")
    assert candidate["due_at"] > "2026-01-30"
    assert (candidate["bytes_freed"], candidate["warnings"]) == (10, [])
    assert enforcing.states() == ["live"] * 4


def test_a_dry_run_only_tells(
    admin: Caller, enforcing: Enforcing, old: list[Artifact], sql: psycopg.Connection[DictRow]
) -> None:
    enforcing.hold(old[1])
    answer = admin.call("POST", RUN, params={"dry_run": "true"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["dry_run"]) == ("finished", True)
    assert (told["acted"], told["bytes"], told["refused"]) == (2, 20, {"hold": 1})
    assert enforcing.states() == ["live"] * 4
    assert admin.get(RUNS).json() == {"runs": [], "next": None}
    problem(admin.get(f"{RUNS}/{told['run_id']}"), 404, "policy-run-not-found")
    traces = sql.execute("SELECT actor FROM registry.outbox WHERE operation = 'policy_dry_run'")
    assert [row["actor"] for row in traces] == [told["started_by"]]


def test_a_run_that_is_done_at_once_answers_with_what_it_did(
    admin: Caller, enforcing: Enforcing, old: list[Artifact]
) -> None:
    enforcing.hold(old[1])
    answer = admin.call("POST", RUN)
    assert answer.status_code == 200
    run = answer.json()
    assert (run["status"], run["acted"], run["bytes"], run["errors"]) == ("finished", 2, 20, 0)
    assert run["refused"] == {"hold": 1}
    assert enforcing.states() == ["deleted", "live", "deleted", "live"]
    assert admin.get(f"{RUNS}/{run['run_id']}").json() == run
    assert admin.get(RUNS).json() == {"runs": [run], "next": None}


def test_a_run_that_takes_longer_goes_on_by_itself_and_keeps_others_out(
    admin: Caller,
    enforcing: Enforcing,
    old: list[Artifact],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del old
    monkeypatch.setattr(policy_runs, "_SECONDS", 0.0)
    answer = admin.call("POST", RUN)
    assert answer.status_code == 202
    begun = answer.json()
    assert (begun["status"], begun["acted"], begun["ended_at"]) == ("running", 0, None)
    assert answer.headers["location"] == f"{RUNS}/{begun['run_id']}"
    other = admin.call("POST", RUN)
    assert other.status_code == 200
    assert (other.json()["status"], other.json()["skipped_for"]) == ("skipped", begun["run_id"])
    enforcing.work()
    ended = admin.get(answer.headers["location"]).json()
    assert (ended["status"], ended["selected"], ended["acted"]) == ("finished", 3, 3)
    assert enforcing.states() == ["deleted"] * 3 + ["live"]


def test_runs_are_listed_newest_first_of_one_policy_or_of_all(
    admin: Caller, enforcing: Enforcing
) -> None:
    enforcing.enforce(name="another", enabled=False)
    begun = [
        admin.call("POST", f"/api/admin/policies/{name}/run").json()["run_id"]
        for name in ("delete-old", "another", "delete-old")
    ]
    enforcing.registry.policies.remove("delete-old")
    first = admin.get(RUNS, params={"limit": 2}).json()
    assert [run["run_id"] for run in first["runs"]] == [begun[2], begun[1]]
    second = admin.get(RUNS, params={"limit": 2, "cursor": first["next"]}).json()
    assert [run["run_id"] for run in second["runs"]] == [begun[0]]
    assert second["next"] is None
    of_one = admin.get(RUNS, params={"policy": "delete-old"}).json()
    assert [run["run_id"] for run in of_one["runs"]] == [begun[2], begun[0]]
    wrong = {"policy": "delete-old", "cursor": first["next"]}
    problem(admin.get(RUNS, params=wrong), 422, "invalid-input")


def test_what_is_unknown_or_wrong_is_named(admin: Caller, enforcing: Enforcing) -> None:
    del enforcing
    unknown = "/api/admin/policies/unknown"
    problem(admin.get(f"{unknown}/preview"), 404, "policy-not-found")
    problem(admin.call("POST", f"{unknown}/run"), 404, "policy-not-found")
    problem(admin.get(f"{RUNS}/{new_id()}"), 404, "policy-run-not-found")
    for path in (PREVIEW, RUNS):
        answer = admin.get(path, params={"limit": 1001})
        assert pointers(problem(answer, 422, "invalid-input")) == ["/limit"]
        problem(admin.get(path, params={"cursor": "none"}), 422, "invalid-input")
    answer = admin.call("POST", RUN, params={"dry_run": "perhaps"})
    assert pointers(problem(answer, 422, "invalid-input")) == ["/dry_run"]


def test_who_may_only_read_sees_and_runs_nothing(
    reader: Caller, enforcing: Enforcing, old: list[Artifact]
) -> None:
    del old
    for parameters in ({}, {"dry_run": "true"}):
        problem(reader.call("POST", RUN, params=parameters), 403, "scope-missing")
    assert reader.get(PREVIEW).json()["total"] == 3
    assert reader.get(RUNS).json()["runs"] == []
    assert enforcing.states() == ["live"] * 4


def test_a_policy_of_another_version_is_left_to_that(
    admin: Caller, enforcing: Enforcing, sql: psycopg.Connection[DictRow]
) -> None:
    del enforcing
    later = json.dumps({"name": "delete-old", "kind": "shred"})
    sql.execute("UPDATE registry.policies SET policy = %s WHERE name = 'delete-old'", [later])
    problem(admin.get(PREVIEW), 503, "policy-unreadable")
    problem(admin.call("POST", RUN), 503, "policy-unreadable")
    assert admin.get(RUNS).json()["runs"] == []
