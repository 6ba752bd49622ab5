"""Variables of builds: what whoever resumes one must know."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from functions.http.answers import json_answer
from functions.http.build_answers import RemovedAnswer
from functions.http.build_examples import VARIABLE, WANTED_VARIABLE
from functions.http.builds import BUILDS, PREFIX
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import StrictPipelineRoute
from shared import errors
from shared.models.build_variables import (
    BuildVariable,
    BuildVariableList,
    VariableName,
    VariableRequest,
)
from shared.models.ids import IdInput

_ALL = {"variables": [VARIABLE]}

Name = Annotated[VariableName, Path()]

router = APIRouter(
    prefix=f"{PREFIX}/{{build_id}}/variables", tags=[*BUILDS], route_class=StrictPipelineRoute
)


@router.get(
    "",
    responses=problems(errors.BuildNotFound) | answer(BuildVariableList, "All of them.", _ALL),
)
def list_variables(entry: Entrance, build_id: IdInput) -> Response:
    """A build's variables, by name; of a sensitive one only that it is set."""
    return json_answer(entry.registry.builds.variables.list_variables(build_id))


@router.put(
    "/{name}",
    responses=problems(errors.BuildNotFound, takes_body=True)
    | answer(BuildVariable, "The variable.", VARIABLE),
)
def set_variable(
    entry: Entrance,
    build_id: IdInput,
    name: Name,
    wanted: Annotated[VariableRequest, Body(examples=[WANTED_VARIABLE])],
) -> Response:
    """Set a variable. The value of a sensitive one is not kept: it stays where it came from."""
    variables = entry.registry.builds.variables
    return json_answer(variables.put(build_id, name, wanted, entry.origin))


@router.delete(
    "/{name}",
    responses=problems(errors.BuildNotFound, errors.VariableNotFound)
    | answer(RemovedAnswer, "Done.", {"removed": VARIABLE["name"]}),
)
def remove_variable(entry: Entrance, build_id: IdInput, name: Name) -> Response:
    """Forget a variable, and that it was sensitive."""
    entry.registry.builds.variables.remove(build_id, name, entry.origin)
    return json_answer(RemovedAnswer(removed=name))
