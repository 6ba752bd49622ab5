"""Policies in the running app: from the upload to the removed bytes, by schedule and by hand."""

from typing import Any

import httpx
import pytest

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.ground import Ground
from tests.end_to_end.running_app import RunningApp
from tests.end_to_end.waiting import PATIENCE_SECONDS, wait_for

POLICIES = "/api/admin/policies"
TICK_SECONDS = 60.0
"""Of the timer that goes on with runs; the one that begins them is asked every second here."""
EVERY_SECOND = {"REGISTRY_POLICY_SCHEDULE": "* * * * * *"}
RULE: dict[str, Any] = {
    "name": "drafts",
    "path": "{dataset}/{draft}.tif",
    "client_type": "ddh",
    "client_refs": {"dataset": "{dataset}"},
    "overwrite": True,
}
COOL: dict[str, Any] = {
    "name": "cool",
    "kind": "archive",
    "target_tier": "Cool",
    "clock": "superseded",
}
DELETE: dict[str, Any] = {
    "name": "delete",
    "kind": "delete",
    "clock": "superseded",
    "enabled": False,
}
PURGE: dict[str, Any] = {"name": "purge", "kind": "purge", "clock": "deleted", "enabled": False}


def ask(app: RunningApp, method: str, path: str, body: object = None) -> Any:
    headers = {"X-API-Key": app.key("read,admin")}
    answer = httpx.request(method, f"{app.url}{path}", json=body, headers=headers, timeout=30)
    assert answer.is_success, answer.text
    return answer.json()


def enforce(app: RunningApp, policy: dict[str, Any]) -> None:
    ask(app, "PUT", f"{POLICIES}/{policy['name']}", {**policy, "age": "PT0S"})


def draft(ground: Ground, name: str) -> str:
    """Upload a draft of a dataset, each to a place of its own; answers with its artifact's id."""
    ground.uploads.upload_blob(name, name.encode())
    query = "SELECT artifact_id::text AS id FROM registry.artifacts WHERE blob_path = %s"
    (row,) = wait_for(name, lambda: ground.rows(query, name))
    found: str = row["id"]
    return found


def artifact(app: RunningApp, artifact_id: str) -> dict[str, Any]:
    found: dict[str, Any] = app.get(f"/api/v1/artifacts/{artifact_id}").json()
    return found


@pytest.mark.timeout(240)
def test_an_old_draft_is_cooled_by_schedule_then_deleted_and_purged_by_hand(
    run_app: RunApp, database_url: str, azurite: Azurite
) -> None:
    with run_app(database_url, azurite, EVERY_SECOND) as (app, ground):
        rule = {**RULE, "container": ground.uploads.container_name}
        ask(app, "PUT", "/api/admin/rules/drafts", rule)
        old, new = draft(ground, "flood/1.tif"), draft(ground, "flood/2.tif")
        enforce(app, COOL)
        wait_for(
            "the old draft to be archived",
            lambda: artifact(app, old)["status"] == "archived",
            TICK_SECONDS + PATIENCE_SECONDS,
        )
        assert tiers(ground) == {"flood/1.tif": "Cool", "flood/2.tif": "Hot"}
        assert artifact(app, new)["status"] == "active"
        run = wait_for(
            "the run's end",
            lambda: runs(app, "cool", "finished"),
            TICK_SECONDS + PATIENCE_SECONDS,
        )[0]
        assert (run["acted"], run["bytes"], run["refused"], run["errors"]) == (1, 11, {}, 0)
        assert run["started_by"] == "timer:policies"
        for policy, state in ((DELETE, "deleted"), (PURGE, "purged")):
            enforce(app, policy)
            name = policy["name"]
            assert candidates(app, name) == [old]
            run = ask(app, "POST", f"{POLICIES}/{name}/run")
            assert (run["status"], run["acted"], run["errors"]) == ("finished", 1, 0)
            assert artifact(app, old)["disposition"] == state
        assert tiers(ground) == {"flood/2.tif": "Hot"}
        assert artifact(app, new)["status"] == "active"
        ground.wait_until_drained()
        assert "Traceback" not in app.log


def candidates(app: RunningApp, name: str) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = app.get(f"{POLICIES}/{name}/preview", **cursor).json()
        found += [each["artifact_id"] for each in page["candidates"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def tiers(ground: Ground) -> dict[str, str | None]:
    """Every blob that is there, with the tier that its bytes lie in."""
    return {blob.name: blob.blob_tier for blob in ground.uploads.list_blobs()}


def runs(app: RunningApp, policy: str, status: str) -> list[dict[str, Any]]:
    found = app.get("/api/admin/policy-runs", policy=policy).json()["runs"]
    return [run for run in found if run["status"] == status]
