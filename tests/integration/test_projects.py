"""Projects: what their catalogues are, and what is told of them."""

from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import ValidationError

from shared.database.pool import Database
from shared.errors import InvalidInput, ProjectNotFound
from shared.models.build_catalogues import Project, ProjectRequest
from shared.models.cursors import write_cursor
from shared.models.registrations import Origin
from shared.services.projects import MAXIMUM_PROJECTS, ProjectService
from tests.integration.clock import TickingClock

ORIGIN = Origin("key:7", "request 7")
FINAL = {"code": 100, "name": "done", "final": True}


@pytest.fixture
def projects(database: Database, clock: TickingClock) -> ProjectService:
    return ProjectService(database, clock)


def catalogue(*states: dict[str, Any]) -> ProjectRequest:
    return ProjectRequest.model_validate({"states": states})


def events(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute(
        "SELECT operation, actor, request_id, details FROM registry.outbox ORDER BY position"
    ).fetchall()


def test_a_catalogue_is_kept_by_code_with_all_that_its_states_are(
    projects: ProjectService, sql: psycopg.Connection[DictRow]
) -> None:
    made = projects.put("images", catalogue(FINAL, {"code": 5, "name": "base"}), ORIGIN)
    assert [state.code for state in made.states] == [5, 100]
    assert projects.read("images") == made
    kept = sql.execute("SELECT states FROM registry.projects").fetchone()
    assert kept
    first = {"initial": False, "final": False, "error": False, "resumable": True}
    assert kept["states"][0] == {"code": 5, "name": "base", "required_artifacts": []} | first


def test_every_change_is_in_the_audit_trail_and_no_change_is_not(
    projects: ProjectService, sql: psycopg.Connection[DictRow]
) -> None:
    made = projects.put("images", catalogue(), ORIGIN)
    assert projects.put("images", catalogue(), ORIGIN) == made
    changed = projects.put("images", catalogue(FINAL), ORIGIN)
    assert changed.created_at == made.created_at < changed.updated_at
    projects.remove("images", ORIGIN)
    told = [state.model_dump(mode="json") for state in changed.states]
    assert [(event["operation"], event["details"]) for event in events(sql)] == [
        ("project_created", {"project": "images", "after": []}),
        ("project_changed", {"project": "images", "before": [], "after": told}),
        ("project_removed", {"project": "images", "before": told}),
    ]
    assert {(event["actor"], event["request_id"]) for event in events(sql)} == {
        ("key:7", "request 7")
    }


def test_what_is_not_there_is_not_found(projects: ProjectService) -> None:
    for name in ("images", "", "a\nb", "x" * 5000):
        with pytest.raises(ProjectNotFound):
            projects.read(name)
        with pytest.raises(ProjectNotFound):
            projects.remove(name, ORIGIN)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00b", "\ud800", "x" * 256])
def test_a_name_that_cannot_be_is_refused(projects: ProjectService, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        projects.put(name, catalogue(), ORIGIN)
    assert refused.value.pointer == "/name"


@pytest.mark.parametrize(
    ("states", "why"),
    [
        ([FINAL, FINAL | {"name": "other"}], "two states have the code 100"),
        ([FINAL, FINAL | {"code": 99}], "two states have the name done"),
        (
            [FINAL, *({"code": code, "name": str(code), "initial": True} for code in (1, 2))],
            "more than one state is initial",
        ),
        ([FINAL | {"error": True}], "neither initial nor final"),
        ([{"code": 1, "name": "first"}], "is not final"),
        ([FINAL | {"code": 101}], "100"),
    ],
)
def test_a_catalogue_that_makes_no_sense_is_refused(states: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        catalogue(*states)


def test_a_catalogue_that_is_too_large_is_refused(projects: ProjectService) -> None:
    required = [f"{n:0250}" for n in range(100)]
    states = [
        {"code": code, "name": str(code), "required_artifacts": required} for code in range(5)
    ]
    with pytest.raises(InvalidInput) as refused:
        projects.put("images", catalogue(FINAL, *states), ORIGIN)
    assert refused.value.pointer == "/states"


def test_all_projects_are_listed_once_by_name(projects: ProjectService) -> None:
    names = {f"project {n}" for n in range(MAXIMUM_PROJECTS + 2)} | {"a:b", "ü"}
    for name in names:
        projects.put(name, catalogue(), ORIGIN)
    for limit in (7, 1000):
        seen: list[Project] = []
        cursor = None
        while True:
            page = projects.list_projects(limit, cursor)
            assert len(page.projects) <= min(limit, MAXIMUM_PROJECTS)
            seen += page.projects
            cursor = page.next
            if cursor is None:
                break
        assert len(seen) == len(names)
        assert {project.name for project in seen} == names


@pytest.mark.parametrize("cursor", ["", "?", write_cursor("holds", "a"), "cHJvamVjdHM6AA"])
def test_a_cursor_of_another_list_is_refused(projects: ProjectService, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        projects.list_projects(cursor=cursor)
    assert refused.value.pointer == "/cursor"
