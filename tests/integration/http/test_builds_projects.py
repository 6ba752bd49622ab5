"""Projects of builds over HTTP, and what builds tell to whoever resumes them."""

from typing import Any

import pytest
from fastapi import FastAPI

from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.integration.http.build_server import BUILDS, begin, told
from tests.integration.http.caller import Caller, pointers, problem

PROJECTS = f"{BUILDS}/projects"
STATES: list[dict[str, Any]] = [
    {"code": 10, "name": "base-image", "initial": True},
    {"code": 100, "name": "published", "final": True, "required_artifacts": ["image"]},
]
BY_DEFAULT: dict[str, Any] = {
    "initial": False,
    "final": False,
    "error": False,
    "resumable": True,
    "required_artifacts": [],
}


@pytest.fixture
def operator(app: FastAPI, registry: Registry) -> Caller:
    """Who says which states there are, and looks at them."""
    return Caller(app, registry.keys.create("operator", [Scope.READ, Scope.ADMIN]).text)


def put(operator: Caller, name: str, states: list[dict[str, Any]]) -> Any:
    return told(operator.call("PUT", f"{PROJECTS}/{name}", json={"states": states}))


def test_a_project_is_kept_changed_and_forgotten(operator: Caller, reader: Caller) -> None:
    made = put(operator, "linux", STATES)
    kept = [BY_DEFAULT | state for state in STATES]
    assert (made["name"], made["states"]) == ("linux", kept)
    assert told(reader.get(f"{PROJECTS}/linux")) == made
    assert told(reader.get(PROJECTS)) == {"projects": [made], "next": None}
    assert put(operator, "linux", STATES[1:])["states"] == kept[1:]
    path = f"{PROJECTS}/linux"
    assert pointers(problem(operator.call("DELETE", path), 422, "invalid-input")) == ["/confirm"]
    assert told(operator.call("DELETE", f"{path}?confirm=yes")) == {"removed": "linux"}
    problem(operator.call("DELETE", f"{path}?confirm=yes"), 404, "project-not-found")
    problem(reader.get(path), 404, "project-not-found")


def test_no_name_of_a_project_is_taken_for_anything_else(operator: Caller) -> None:
    for name in ["states", "artifacts", "resumes", "dashboard", "a b", "größe", "a/b/states"]:
        assert put(operator, name, STATES)["name"] == name
        assert told(operator.get(f"{PROJECTS}/{name}"))["name"] == name


def test_projects_are_listed_by_name_page_by_page(operator: Caller) -> None:
    for name in ("b", "c", "a"):
        put(operator, name, [])
    first = told(operator.get(f"{PROJECTS}?limit=2"))
    second = told(operator.get(f"{PROJECTS}?limit=2&cursor={first['next']}"))
    found = [each["name"] for each in first["projects"] + second["projects"]]
    assert (found, second["next"]) == (["a", "b", "c"], None)


def test_builds_do_not_make_states(server: Caller) -> None:
    problem(server.call("PUT", f"{PROJECTS}/linux", json={"states": []}), 403, "scope-missing")
    deleted = server.call("DELETE", f"{PROJECTS}/linux?confirm=yes")
    problem(deleted, 403, "scope-missing")


NO_SENSE: list[tuple[Any, str]] = [
    ([{"code": 101, "name": "x", "final": True}], "/states/0/code"),
    ([{"code": 1, "name": "", "final": True}], "/states/0/name"),
    ([{"code": 1, "name": "x", "final": 1}], "/states/0/final"),
    ([{"code": 1, "name": "x", "colour": "red"}], "/states/0/colour"),
    ([*STATES, {"code": 10, "name": "x"}], "/states"),
    ([*STATES, {"code": 20, "name": "base-image"}], "/states"),
    (STATES[:1], "/states"),
    ([*STATES, {"code": 20, "name": "x", "initial": True}], "/states"),
    ([*STATES, {"code": 20, "name": "x", "error": True, "final": True}], "/states"),
    ("base-image", "/states"),
]


def test_states_that_make_no_sense_are_refused(operator: Caller) -> None:
    for states, pointer in NO_SENSE:
        answer = operator.call("PUT", f"{PROJECTS}/linux", json={"states": states})
        assert pointers(problem(answer, 422, "invalid-input")) == [pointer], states
    problem(operator.get(f"{PROJECTS}/linux"), 404, "project-not-found")


def test_a_variable_is_set_listed_and_forgotten(server: Caller) -> None:
    path = f"{begin(server)}/variables"
    made = told(server.call("PUT", f"{path}/VM_ID", json={"value": "vm-1"}))
    assert (made["name"], made["value"], made["is_set"]) == ("VM_ID", "vm-1", True)
    other = told(server.call("PUT", f"{path}/ABC", json={"required_for_resume": True}))
    assert (other["value"], other["is_set"]) == (None, False)
    assert told(server.get(path)) == {"variables": [other, made]}
    assert told(server.call("DELETE", f"{path}/ABC")) == {"removed": "ABC"}
    problem(server.call("DELETE", f"{path}/ABC"), 404, "variable-not-found")
    assert told(server.get(path)) == {"variables": [made]}


def test_a_sensitive_value_is_never_told_again(server: Caller) -> None:
    build = begin(server)
    path = f"{build}/variables/PASSWORD"
    wanted = {"value": "hunter2", "sensitive": True, "required_for_resume": True}
    answers = [server.call("PUT", path, json=wanted)]
    answers += [server.get(f"{build}/{part}") for part in ("variables", "resume-context")]
    for answer in answers:
        assert "hunter2" not in answer.text
        assert '"is_set":true' in answer.text
    wrong = server.call("PUT", path, json=wanted | {"value": ["hunter2"]})
    assert "hunter2" not in wrong.text
    assert pointers(problem(wrong, 422, "invalid-input")) == ["/value"]


def test_what_is_no_name_of_a_variable_is_refused(server: Caller) -> None:
    variables = f"{begin(server)}/variables"
    for name in ["1A", "A B", "-", "A" * 256, "a%00b", "ä", "ark_" + "A" * 43]:
        path = f"{variables}/{name}"
        for answer in (server.call("PUT", path, json={}), server.call("DELETE", path)):
            assert pointers(problem(answer, 422, "invalid-input")) == ["/name"], name
