"""Artifacts of builds: registered, found, changed, deleted, and compared with their bytes."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from functions.http.answers import json_answer
from functions.http.build_answers import LINK, array_answer
from functions.http.build_examples import (
    BUILD_ARTIFACT,
    DELETED_ARTIFACT,
    VERIFIED_ARTIFACT,
    WANTED_ARTIFACT,
)
from functions.http.build_queries import BuildArtifactsQuery
from functions.http.builds import BUILD_ID, BUILDS, PREFIX
from functions.http.conditions import IfMatch
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import StrictPipelineRoute
from functions.http.idempotency_keys import ONCE, IdempotencyHeader, read_idempotency_key
from functions.http.reading import read_by, read_query, read_value
from shared import errors
from shared.models.build_artifacts import (
    BuildArtifact,
    BuildArtifactChanges,
    BuildArtifactFilter,
    BuildArtifactRequest,
)
from shared.models.entity_tags import entity_tag
from shared.models.ids import IdInput

_ETAG = ["ETag"]
_CHANGES = {"artifact_name": "rhel-9-base-final", "is_final": True}

router = APIRouter(
    prefix=f"{PREFIX}/{{build_id}}/artifacts", tags=[*BUILDS], route_class=StrictPipelineRoute
)


def _read_listing(request: Request) -> dict[str, object]:
    given = request.path_params["build_id"]
    return {
        "build_id": read_value(BUILD_ID, given, "path", "build_id"),
        "query": read_query(BuildArtifactsQuery, request),
    }


@router.post(
    "",
    responses=problems(errors.BuildNotFound, errors.ArtifactConflict, *ONCE, takes_body=True)
    | answer(
        BuildArtifact, "Registered.", BUILD_ARTIFACT, status=201, headers=["ETag", "Location"]
    ),
)
def register_build_artifact(
    entry: Entrance,
    build_id: IdInput,
    wanted: Annotated[BuildArtifactRequest, Body(examples=[WANTED_ARTIFACT])],
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Register an artifact of a build, of a name that none of it has; `overwrite` makes a revision.

    Its bytes are where the path says: nothing is uploaded here.
    """
    key = read_idempotency_key(entry, idempotency_key)
    artifact = entry.registry.builds.artifacts.register(
        build_id, wanted, entry.origin, idempotency=key
    )
    location = f"{PREFIX}/{artifact.build_id}/artifacts/{artifact.id}"
    return _answer(artifact, 201, location=location)


@router.get(
    "",
    responses=problems(errors.BuildNotFound)
    | answer(list[BuildArtifact], "Artifacts.", [BUILD_ARTIFACT], headers=LINK),
)
@read_by(_read_listing)
def list_build_artifacts(
    entry: Entrance, build_id: IdInput, query: Annotated[BuildArtifactsQuery, Query()]
) -> Response:
    """A build's artifacts that satisfy every condition, by state and time; no deleted ones.

    Of each name only its current revision.
    """
    page = entry.registry.builds.artifacts.list_artifacts(
        build_id, query.filter(), limit=query.limit, cursor=query.cursor
    )
    return array_answer(entry.request, page.artifacts, page.next, BuildArtifactFilter.model_fields)


@router.get(
    "/{artifact_id}",
    responses=problems(errors.ArtifactNotFound)
    | answer(BuildArtifact, "The artifact.", BUILD_ARTIFACT, headers=_ETAG),
)
def get_build_artifact(entry: Entrance, build_id: IdInput, artifact_id: IdInput) -> Response:
    """One artifact of a build, also a deleted one."""
    return _answer(entry.registry.builds.artifacts.get(build_id, artifact_id))


@router.patch(
    "/{artifact_id}",
    responses=problems(
        errors.ArtifactNotFound,
        errors.ArtifactNameTaken,
        errors.ArtifactHeld,
        errors.ArtifactRetained,
        errors.InvalidTransition,
        errors.PreconditionFailed,
        takes_body=True,
    )
    | answer(BuildArtifact, "The artifact.", BUILD_ARTIFACT | _CHANGES, headers=_ETAG),
)
def update_build_artifact(
    entry: Entrance,
    build_id: IdInput,
    artifact_id: IdInput,
    changes: Annotated[BuildArtifactChanges, Body(examples=[_CHANGES])],
    if_match: IfMatch,
) -> Response:
    """Rename it with its revisions, merge metadata key by key, set flags and its expiry.

    What its bytes are, and where, never changes.
    """
    artifact = entry.registry.builds.artifacts.update(
        build_id, artifact_id, changes, entry.origin, if_match=if_match
    )
    return _answer(artifact)


@router.delete(
    "/{artifact_id}",
    responses=problems(
        errors.ArtifactNotFound,
        errors.ArtifactHeld,
        errors.ArtifactRetained,
        errors.PreconditionFailed,
    )
    | answer(BuildArtifact, "The artifact, deleted.", DELETED_ARTIFACT, headers=_ETAG),
)
def delete_build_artifact(
    entry: Entrance, build_id: IdInput, artifact_id: IdInput, if_match: IfMatch
) -> Response:
    """Set the tombstone, which frees the name; record and bytes stay. Again, it changes nothing."""
    artifacts = entry.registry.builds.artifacts
    return _answer(artifacts.delete(build_id, artifact_id, entry.origin, if_match=if_match))


@router.post(
    "/{artifact_id}/verify",
    responses=problems(
        errors.ArtifactNotFound,
        errors.InvalidTransition,
        errors.BytesNotServed,
        errors.BlobNotFound,
        errors.BlobUnreadable,
        errors.BlobChanged,
        errors.StorageUnavailable,
    )
    | answer(BuildArtifact, "It was looked at.", VERIFIED_ARTIFACT, headers=_ETAG)
    | answer(BuildArtifact, "It is being read.", BUILD_ARTIFACT, status=202),
)
def verify_build_artifact(entry: Entrance, build_id: IdInput, artifact_id: IdInput) -> Response:
    """Read the bytes and compare size and checksum: `verified_at` or `found_corrupt_at` tells.

    What is large is read later; until then the answer has neither.
    """
    artifact = entry.registry.builds.artifacts.verify(build_id, artifact_id, entry.origin)
    if artifact.verified_at or artifact.found_corrupt_at:
        return _answer(artifact)
    return json_answer(artifact, 202)


def _answer(artifact: BuildArtifact, status: int = 200, *, location: str | None = None) -> Response:
    headers = {"ETag": f'"{entity_tag(artifact)}"'} | ({"Location": location} if location else {})
    return json_answer(artifact, status, headers)
