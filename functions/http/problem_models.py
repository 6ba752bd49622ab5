"""Problem details as the documentation describes them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from functions.http.faults import FAULTS
from functions.http.problems import (
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_INPUT,
    ProblemType,
    http_problem,
)
from shared import errors

_ARTIFACT_ID = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90"
_HOLD_ID = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e91"
_BUILD_ID = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e94"
_RESUME_ID = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e97"


class InvalidValue(BaseModel):
    """One value that is at fault."""

    model_config = ConfigDict(defer_build=True)

    pointer: str
    """JSON pointer (RFC 6901) into the body, or `/` and the name of a parameter or header."""
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457). `type` tells problems apart and never changes."""

    model_config = ConfigDict(defer_build=True)

    example_members: ClassVar[Mapping[str, Any]] = {}

    type: str
    title: str
    status: int
    detail: str
    instance: str
    """The request, as the logs name it."""


class InvalidInputProblem(Problem):
    """Some values are not valid; `errors` is absent where it is not known which."""

    example_members: ClassVar[Mapping[str, Any]] = {
        "errors": [{"pointer": "/limit", "detail": "Input should be less than or equal to 1000"}]
    }

    errors: list[InvalidValue] = []


class ConflictProblem(Problem):
    """The asset has a current artifact already."""

    example_members: ClassVar[Mapping[str, Any]] = {"current_artifact_id": _ARTIFACT_ID}

    current_artifact_id: UUID


class HeldProblem(Problem):
    """The artifact is held."""

    example_members: ClassVar[Mapping[str, Any]] = {"hold_id": _HOLD_ID}

    hold_id: UUID


class RetainedProblem(Problem):
    """A locked policy retains the artifact."""

    example_members: ClassVar[Mapping[str, Any]] = {"policy": "keep-evidence"}

    policy: str


class NumberTakenProblem(Problem):
    """Another build has the number."""

    example_members: ClassVar[Mapping[str, Any]] = {"build_id": _BUILD_ID}

    build_id: UUID


class ResumingProblem(Problem):
    """A resume of the build is under way."""

    example_members: ClassVar[Mapping[str, Any]] = {"resume_id": _RESUME_ID}

    resume_id: UUID


class MissingProblem(Problem):
    """What a resume needs is not there; `missing` says what, in a sentence each."""

    example_members: ClassVar[Mapping[str, Any]] = {
        "missing": ["the artifact base-image of state 10 has expired"]
    }

    missing: list[str]


class NameTakenProblem(Problem):
    """Another artifact of the build has the name."""

    example_members: ClassVar[Mapping[str, Any]] = {"artifact_id": _ARTIFACT_ID}

    artifact_id: UUID


class RefusedItem(InvalidValue):
    """An item of a batch that cannot be registered."""

    type: str
    current_artifact_id: UUID | None = None


class BatchProblem(Problem):
    """Nothing of a batch was registered, because of these items."""

    example_members: ClassVar[Mapping[str, Any]] = {
        "errors": [
            {
                "pointer": "/artifacts/17",
                "detail": "The asset already has a current artifact.",
                "type": FAULTS[errors.ArtifactConflict].uri,
                "current_artifact_id": _ARTIFACT_ID,
            }
        ]
    }

    errors: list[RefusedItem]


PROBLEM_SCHEMAS: Mapping[str, type[Problem]] = {
    INVALID_INPUT.name: InvalidInputProblem,
    FAULTS[errors.ArtifactConflict].name: ConflictProblem,
    FAULTS[errors.ArtifactHeld].name: HeldProblem,
    FAULTS[errors.ArtifactRetained].name: RetainedProblem,
    FAULTS[errors.BatchRefused].name: BatchProblem,
    FAULTS[errors.BuildExists].name: NumberTakenProblem,
    FAULTS[errors.ResumeUnderWay].name: ResumingProblem,
    FAULTS[errors.ResumeNotPossible].name: MissingProblem,
    FAULTS[errors.ArtifactNameTaken].name: NameTakenProblem,
}
"""Problems that tell more than all do, by name."""

PROBLEM_KINDS: Sequence[ProblemType] = (
    *(kind for fault, kind in FAULTS.items() if fault is not errors.RegistryError),
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    http_problem(415),
)
"""Every problem that an operation may answer with."""
