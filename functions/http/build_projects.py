"""Projects: the states that their builds go through."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from functions.http.admin_changes import Confirmation
from functions.http.answers import json_answer
from functions.http.build_answers import RemovedAnswer
from functions.http.build_examples import PROJECT, WANTED_PROJECT
from functions.http.builds import BUILDS, PREFIX
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import StrictAdminRoute
from functions.http.parameters import DEFAULT_PAGE, Cursor, Limit
from shared import errors
from shared.models.build_catalogues import Project, ProjectPage, ProjectRequest
from shared.models.builds import PrintableName

ProjectName = Annotated[PrintableName, Path()]

router = APIRouter(prefix=f"{PREFIX}/projects", tags=[*BUILDS], route_class=StrictAdminRoute)


@router.get(
    "",
    responses=problems()
    | answer(ProjectPage, "A page of projects.", {"projects": [PROJECT], "next": None}),
)
def list_projects(entry: Entrance, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None) -> Response:
    """Projects that were put here, by name; builds may name others as well."""
    return json_answer(entry.registry.builds.projects.list_projects(limit=limit, cursor=cursor))


@router.get(
    "/{name:path}",
    responses=problems(errors.ProjectNotFound) | answer(Project, "The project.", PROJECT),
)
def get_project(entry: Entrance, name: ProjectName) -> Response:
    """One project and its states."""
    return json_answer(entry.registry.builds.projects.read(name))


@router.put("/{name:path}", responses=problems(takes_body=True) | answer(Project, "It.", PROJECT))
def put_project(
    entry: Entrance,
    name: ProjectName,
    wanted: Annotated[ProjectRequest, Body(examples=[WANTED_PROJECT])],
) -> Response:
    """Add a project, or replace its states; builds that are under way go on by the new ones."""
    return json_answer(entry.registry.builds.projects.put(name, wanted, entry.origin))


@router.delete(
    "/{name:path}",
    responses=problems(errors.ProjectNotFound)
    | answer(RemovedAnswer, "Done.", {"removed": PROJECT["name"]}),
)
def remove_project(entry: Entrance, name: ProjectName, confirm: Confirmation) -> Response:
    """Forget a project; its builds stay, and then go through any states."""
    del confirm
    entry.registry.builds.projects.remove(name, entry.origin)
    return json_answer(RemovedAnswer(removed=name))
