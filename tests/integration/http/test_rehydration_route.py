"""Archived bytes are brought back over HTTP: 202 while they are on their way, then 200."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.models.tiers import ColderTier
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.rehydrating import Rehydrating, rehydrating

__all__ = ["rehydrating"]  # a fixture that is asked for by its name


@pytest.fixture
def app(registry: Registry, rehydrating: Rehydrating) -> FastAPI:
    over = replace(registry, rehydration=rehydrating.service)
    return build_app(lambda: over)


def ask(caller: Caller, artifact_id: object, **given: Any) -> Any:
    return caller.call("POST", f"/api/admin/artifacts/{artifact_id}/rehydrate", **given)


def test_pending_bytes_are_told_until_they_are_back(
    operator: Caller, reader: Caller, rehydrating: Rehydrating
) -> None:
    artifact_id = rehydrating.archived().artifact_id
    path = f"/api/v1/artifacts/{artifact_id}"
    asked = {"target_tier": "Cool", "priority": "High"}
    pending = ask(operator, artifact_id, json=asked)
    assert (pending.status_code, pending.json()["rehydrating_to"]) == (202, "Cool")
    assert pending.json()["rehydrated_at"] == pending.json()["updated_at"]
    assert pending.headers["ETag"] == reader.get(path).headers["ETag"]
    assert rehydrating.store.asked == [("a.tif", "Cool", "High")]
    rehydrating.store.thaw()
    rehydrating.check()
    back = ask(operator, artifact_id, json=asked)
    assert (back.status_code, back.json()["rehydrating_to"]) == (200, None)
    assert (back.json()["storage_tier"], back.json()["status"]) == ("Cool", "archived")
    assert back.json()["tier_since"] == back.json()["updated_at"]
    assert reader.get(path).json() == back.json()


def test_without_a_body_bytes_come_back_to_the_tier_hot(
    operator: Caller, rehydrating: Rehydrating
) -> None:
    back = ask(operator, rehydrating.archived(tier=ColderTier.COLD).artifact_id)
    assert (back.status_code, back.json()["storage_tier"]) == (200, "Hot")


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"target_tier": "Archive"}, "/target_tier"),
        ({"target_tier": None}, "/target_tier"),
        ({"priority": "Soon"}, "/priority"),
        ({"tier": "Hot"}, "/tier"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(
    operator: Caller, rehydrating: Rehydrating, sent: Any, pointer: str
) -> None:
    refused = ask(operator, rehydrating.archived().artifact_id, json=sent)
    assert pointers(problem(refused, 422, "invalid-input")) == [pointer]
    assert not rehydrating.store.asked


def test_only_operators_bring_bytes_back(writer: Caller, rehydrating: Rehydrating) -> None:
    refused = ask(writer, rehydrating.archived().artifact_id)
    problem(refused, 403, "scope-missing")
    assert not rehydrating.store.asked


def test_another_state_than_the_one_that_was_seen_is_left_alone(
    operator: Caller, rehydrating: Rehydrating
) -> None:
    artifact_id = rehydrating.archived().artifact_id
    refused = ask(operator, artifact_id, headers={"If-Match": '"old"'})
    problem(refused, 412, "precondition-failed")
    assert not rehydrating.store.asked
