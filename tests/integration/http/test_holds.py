"""Holds over HTTP: placed, told, released, and what they refuse."""

from typing import Any

import pytest
from fastapi import FastAPI

from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from shared.models.artifacts import Artifact
from shared.models.ids import new_id
from shared.services.artifact_service import ArtifactService
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.registering import create

HOLDS = "/api/admin/holds"


@pytest.fixture
def admin(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("operator", list(Scope)).text)


@pytest.fixture
def made(artifacts: ArtifactService) -> Artifact:
    return create(artifacts, "one")


def place(admin: Caller, **wanted: Any) -> dict[str, Any]:
    answer = admin.call("POST", HOLDS, json={"reason": "litigation 7", **wanted})
    assert answer.status_code == 201, answer.text
    hold = answer.json()
    assert admin.get(answer.headers["location"]).json() == hold
    return hold


def test_a_hold_is_placed_listed_and_released(admin: Caller, made: Artifact) -> None:
    hold = place(admin, artifact_id=str(made.artifact_id), until=None)
    assert (hold["reason"], hold["until"], hold["released_at"]) == ("litigation 7", None, None)
    assert admin.get(HOLDS).json() == {"holds": [hold], "next": None}
    path = f"{HOLDS}/{hold['hold_id']}"
    assert pointers(problem(admin.call("DELETE", path), 422, "invalid-input")) == ["/confirm"]
    released = admin.call("DELETE", f"{path}?confirm=yes").json()
    assert released["released_by"] == hold["owner"]
    assert admin.get(HOLDS).json()["holds"] == []
    assert admin.get(f"{HOLDS}?released=true").json()["holds"] == [released]


def test_of_a_selector_only_what_it_says_is_told(admin: Caller) -> None:
    selector = {"client_type": "ddh", "metadata": {"closed": None, "case": {"judge": None}}}
    hold = place(admin, selector=selector)
    assert hold["selector"] == selector
    assert (hold["artifact_id"], hold["until"]) == (None, None)
    assert admin.get(HOLDS).json()["holds"] == [hold]
    released = admin.call("DELETE", f"{HOLDS}/{hold['hold_id']}?confirm=yes").json()
    assert released["selector"] == selector


def test_whoever_would_act_on_what_is_held_is_told_of_the_hold(
    admin: Caller, made: Artifact
) -> None:
    hold = place(admin, asset_id=str(made.asset_id))
    path = f"/api/admin/artifacts/{made.artifact_id}"
    for method, target in (("DELETE", f"{path}?confirm=yes"), ("POST", f"{path}/archive")):
        told = problem(admin.call(method, target), 409, "artifact-held")
        assert told["hold_id"] == hold["hold_id"]
    assert admin.get(path).json()["artifact"]["status"] == "active"


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({}, ""),
        ({"selector": {"client": "ddh"}}, "/selector/client"),
        ({"artifact_id": "x"}, "/artifact_id"),
        ({"artifact_id": str(new_id()), "until": "2020-01-01T00:00:00Z"}, "/until"),
    ],
)
def test_what_is_wrong_with_a_hold_is_named(
    admin: Caller, wanted: dict[str, Any], pointer: str
) -> None:
    answer = admin.call("POST", HOLDS, json={"reason": "litigation 7", **wanted})
    assert pointers(problem(answer, 422, "invalid-input")) == [pointer]


def test_what_is_unknown_is_not_found(admin: Caller) -> None:
    unknown = str(new_id())
    for target, name in (("artifact_id", "artifact-not-found"), ("asset_id", "asset-not-found")):
        answer = admin.call("POST", HOLDS, json={"reason": "why", target: unknown})
        problem(answer, 404, name)
    problem(admin.get(f"{HOLDS}/{unknown}"), 404, "hold-not-found")
    problem(admin.call("DELETE", f"{HOLDS}/{unknown}?confirm=yes"), 404, "hold-not-found")
