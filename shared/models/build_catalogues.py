"""Catalogues: which states the builds of a project go through."""

from collections import Counter
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from shared.models.artifacts import Moment
from shared.models.builds import LAST_STATE, PrintableName, StateCode

_MAXIMUM_REQUIRED = 100


class CatalogueState(BaseModel):
    """A state that builds of the project may be in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: StateCode
    name: PrintableName
    initial: StrictBool = False
    """Builds begin with it; at most one state is."""
    final: StrictBool = False
    """Completing it completes the build."""
    error: StrictBool = False
    """Reaching it, from any other, fails the build."""
    resumable: StrictBool = True
    """Whether builds may be resumed from here."""
    required_artifacts: Annotated[list[PrintableName], Field(max_length=_MAXIMUM_REQUIRED)] = Field(
        default_factory=list[PrintableName]
    )
    """Names of the artifacts without which a build is not resumed from here."""


class ProjectRequest(BaseModel):
    """The body of `PUT /api/builds/projects/{name}`; without states, there is no catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    states: Annotated[list[CatalogueState], Field(max_length=LAST_STATE + 1)] = Field(
        default_factory=list[CatalogueState]
    )

    @field_validator("states")
    @classmethod
    def _make_sense(cls, states: list[CatalogueState]) -> list[CatalogueState]:
        if twice := _repeated([state.code for state in states]):
            raise ValueError(f"two states have the code {twice[0]}")
        if twice := _repeated([state.name for state in states]):
            raise ValueError(f"two states have the name {twice[0]}")
        if sum(state.initial for state in states) > 1:
            raise ValueError("more than one state is initial")
        if any(state.error and (state.final or state.initial) for state in states):
            raise ValueError("a state of error is neither initial nor final")
        ordinary = [state for state in states if not state.error]
        if ordinary and not max(ordinary, key=lambda state: state.code).final:
            raise ValueError("the last state that is no error is not final: builds would get stuck")
        if states and not ordinary:
            raise ValueError("there are states of error only")
        return states


def _repeated(values: list[str] | list[int]) -> list[str | int]:
    return [value for value, count in Counter(values).items() if count > 1]


class Project(BaseModel):
    """A project, and the catalogue of its states by code; an empty one allows any state."""

    model_config = ConfigDict(frozen=True)

    name: str
    states: list[CatalogueState]
    created_at: Moment
    updated_at: Moment


class ProjectPage(BaseModel):
    """Part of a list, by name; `next` is the cursor of another part."""

    projects: list[Project]
    next: str | None
