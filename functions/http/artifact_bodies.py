"""What the surface of pipelines is asked and answers with.

Validators of requests are built at import: FastAPI, which quiets a warning of pydantic while it
makes its routes, would let one that is deferred be told at the first request.
"""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializeAsAny,
    SkipValidation,
)

from functions.http.parameters import ClientTypeText
from functions.http.problem_models import Problem
from shared.models.artifacts import Artifact, ArtifactChanges, ArtifactRegistration
from shared.models.client_refs import ClientRefs
from shared.models.content_hash import ContentHashField
from shared.models.text import keepable_json
from shared.services.registration import MAXIMUM_BATCH


class RegistrationRequest(ArtifactRegistration):
    """An artifact to register."""

    model_config = ConfigDict(defer_build=False)


class ChangesRequest(ArtifactChanges):
    """What is to change: metadata are merged key by key, null stored like any value."""

    model_config = ConfigDict(defer_build=False)


class BatchRequest(BaseModel):
    """Registrations: all of them or none with `atomic`, otherwise each for itself."""

    model_config = ConfigDict(extra="forbid")

    artifacts: Annotated[
        # Looked at one by one, so that one that is not valid need not spoil the others.
        list[SkipValidation[RegistrationRequest]],
        Field(min_length=1, max_length=MAXIMUM_BATCH),
    ]
    atomic: Annotated[bool, Field(strict=True)] = False


class BatchResult(BaseModel):
    """What came of one registration: an artifact, or the problem that it met."""

    model_config = ConfigDict(defer_build=True)

    status: Literal["created", "unchanged", "failed"]
    artifact: Artifact | None
    problem: SerializeAsAny[Problem] | None
    """Told as it is: which members it has beyond these depends on its type."""


class BatchAnswer(BaseModel):
    """What came of each registration, in their order, and how many ended how."""

    model_config = ConfigDict(defer_build=True)

    results: list[BatchResult]
    created: int
    unchanged: int
    failed: int


class ListAnswer(BaseModel):
    """A page of artifacts; `next` is the cursor of another, null at the end.

    A page may hold fewer than `limit` artifacts, even none, before the end.
    """

    model_config = ConfigDict(defer_build=True)

    artifacts: list[Artifact]
    next: str | None


class DecisionRequest(BaseModel):
    """An output that a pipeline is about to process."""

    model_config = ConfigDict(extra="forbid")

    client_type: ClientTypeText
    client_refs: ClientRefs
    content_hash: ContentHashField | None = None
    metadata: Annotated[dict[str, JsonValue], AfterValidator(keepable_json)] = Field(
        default_factory=dict[str, JsonValue]
    )
