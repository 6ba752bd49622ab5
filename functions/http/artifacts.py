"""The surface of pipelines: registering artifacts, and finding them."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import TypeAdapter

from functions.http import batches
from functions.http.answers import artifact_answer, json_answer
from functions.http.artifact_bodies import (
    BatchAnswer,
    BatchRequest,
    ChangesRequest,
    DecisionRequest,
    ListAnswer,
    RegistrationRequest,
)
from functions.http.conditions import IF_NONE_MATCH, IfMatch, read_if_none_match
from functions.http.documented import answer, not_modified, problems
from functions.http.entry import Entrance, Entry
from functions.http.examples import ARTIFACT, CLIENT_REFS, CONTENT_HASH, METADATA, REGISTRATION
from functions.http.guarded_route import PipelineRoute, QuestionRoute
from functions.http.idempotency_keys import (
    ONCE,
    IdempotencyHeader,
    read_idempotency_header,
    read_idempotency_key,
)
from functions.http.listing_query import ListingQuery
from functions.http.reading import read_body, read_by, read_query, read_value
from functions.http.visits import visits_of
from functions.http.worker_threads import in_worker_thread
from shared import errors
from shared.models.artifacts import Artifact, ArtifactRegistration
from shared.models.decisions import OverwriteDecision
from shared.models.ids import ArtifactId, ArtifactIdInput
from shared.models.registrations import Outcome, Registration

_PREFIX = "/api/v1/artifacts"
_ARTIFACT_ID = TypeAdapter[ArtifactId](ArtifactIdInput)

# Routes are looked through in their order: what is asked most comes first.
router = APIRouter(prefix=_PREFIX, tags=["artifacts"], route_class=PipelineRoute)
questions = APIRouter(prefix=_PREFIX, tags=["artifacts"], route_class=QuestionRoute)


def _read_registration(request: Request) -> dict[str, object]:
    return {
        "registration": read_body(RegistrationRequest, request),
        "idempotency_key": read_idempotency_header(request),
    }


def _read_listing(request: Request) -> dict[str, object]:
    return {"query": read_query(ListingQuery, request)}


def _read_artifact_id(request: Request) -> dict[str, object]:
    given = request.path_params["artifact_id"]
    return {"artifact_id": read_value(_ARTIFACT_ID, given, "path", "artifact_id")}


@router.get(
    "/{artifact_id}",
    responses=problems(errors.ArtifactNotFound)
    | answer(Artifact, "The artifact.", ARTIFACT, headers=["ETag"])
    | not_modified(),
    openapi_extra={"parameters": [IF_NONE_MATCH]},
)
@read_by(_read_artifact_id)
async def get_artifact(entry: Entrance, artifact_id: ArtifactIdInput) -> Response:
    """One artifact; its id is a UUID or a ULID."""
    seen = read_if_none_match(entry.request)
    artifact = await visits_of(entry.request).artifact.ask(entry, artifact_id)
    return artifact_answer(artifact, if_none_match=seen)


@router.post(
    "",
    responses=problems(errors.ArtifactConflict, *ONCE, takes_body=True)
    | answer(Artifact, "It is there already, unchanged.", ARTIFACT, headers=["ETag"])
    | answer(Artifact, "Registered.", ARTIFACT, status=201, headers=["ETag", "Location"]),
)
@read_by(_read_registration)
async def register_artifact(
    entry: Entrance,
    registration: Annotated[RegistrationRequest, Body(examples=[REGISTRATION])],
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Register an artifact.

    Where the asset's current artifact holds the same bytes, it is the answer.
    """
    if idempotency_key is None:
        registered = await visits_of(entry.request).registration.ask(entry, registration)
    else:
        register = partial(_register_once, entry, registration, idempotency_key)
        registered = await in_worker_thread(register)
    if registered.outcome is not Outcome.CREATED:
        return artifact_answer(registered.artifact)
    location = f"{_PREFIX}/{registered.artifact.artifact_id}"
    return artifact_answer(registered.artifact, 201, location=location)


def _register_once(
    entry: Entry, registration: ArtifactRegistration, idempotency_key: str
) -> Registration:
    entry.open()
    key = read_idempotency_key(entry, idempotency_key)
    return entry.registry.artifacts.register(registration, entry.origin, idempotency=key)


@router.post(
    "/batch",
    responses=problems(errors.BatchRefused, *ONCE, takes_body=True)
    | answer(
        BatchAnswer,
        "What came of each.",
        {
            "results": [{"status": "created", "artifact": ARTIFACT, "problem": None}],
            "created": 1,
            "unchanged": 0,
            "failed": 0,
        },
    ),
)
def register_batch(
    entry: Entrance,
    batch: Annotated[BatchRequest, Body(examples=[{"artifacts": [REGISTRATION], "atomic": False}])],
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Register up to 1,000 artifacts: all or none with `atomic`, else each for itself."""
    return json_answer(batches.register(entry, batch, idempotency_key))


@questions.post(
    "/overwrite-decision",
    responses=problems(takes_body=True)
    | answer(
        OverwriteDecision,
        "The decision.",
        {"decision": "metadata_only", "changed": ["title"], "artifact": ARTIFACT},
    ),
)
def decide_overwrite(
    entry: Entrance,
    asked: Annotated[
        DecisionRequest,
        Body(
            examples=[
                {"client_type": "ddh", "client_refs": CLIENT_REFS}
                | {"content_hash": CONTENT_HASH, "metadata": METADATA}
            ]
        ),
    ],
) -> Response:
    """What is to be done about an output, before it is processed. Changes nothing."""
    decision = entry.registry.artifacts.decide_overwrite(
        asked.client_type,
        asked.client_refs,
        content_hash=asked.content_hash,
        metadata=asked.metadata,
    )
    return json_answer(decision)


@router.get(
    "",
    responses=problems()
    | answer(ListAnswer, "A page of artifacts.", {"artifacts": [ARTIFACT], "next": None}),
)
@read_by(_read_listing)
def list_artifacts(entry: Entrance, query: Annotated[ListingQuery, Query()]) -> Response:
    """The artifacts that satisfy every condition given.

    A page may hold fewer than `limit` artifacts, even none, before the end: `next` tells.
    """
    page = entry.registry.artifacts.list_artifacts(
        query.filter(), sort=query.sort, limit=query.limit, cursor=query.cursor
    )
    return json_answer(ListAnswer(artifacts=page.artifacts, next=page.next))


@router.patch(
    "/{artifact_id}",
    responses=problems(
        errors.ArtifactNotFound,
        errors.InvalidTransition,
        errors.ArtifactRetained,
        errors.PreconditionFailed,
        takes_body=True,
    )
    | answer(Artifact, "The artifact.", ARTIFACT, headers=["ETag"]),
)
def update_artifact(
    entry: Entrance,
    artifact_id: ArtifactIdInput,
    changes: Annotated[ChangesRequest, Body(examples=[{"metadata": METADATA, "is_final": True}])],
    if_match: IfMatch,
) -> Response:
    """Merge metadata key by key, null stored like any value; set flags and the expiry.

    An `expires_at` of null takes the expiry away. Nothing else changes.
    """
    artifact = entry.registry.artifacts.update(
        artifact_id, changes, entry.origin, if_match=if_match
    )
    return artifact_answer(artifact)
