"""The admin surface: archived bytes are brought back."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from functions.http.answers import artifact_answer
from functions.http.conditions import IfMatch
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.examples import ARTIFACT
from functions.http.guarded_route import AdminRoute
from shared import errors
from shared.models.artifacts import Artifact
from shared.models.ids import ArtifactIdInput
from shared.models.rehydrations import RehydrateRequest

_BACK = ARTIFACT | {
    "status": "archived",
    "disposition": "archived",
    "storage_tier": "Hot",
    "archived_at": "2026-02-22T09:30:00Z",
    "tier_since": "2026-05-04T08:00:00Z",
    "rehydrated_at": "2026-05-04T08:00:00Z",
}
_PENDING = _BACK | {
    "storage_tier": "Archive",
    "tier_since": "2026-02-22T09:30:00Z",
    "rehydrating_to": "Hot",
}

router = APIRouter(prefix="/api/admin/artifacts", tags=["admin"], route_class=AdminRoute)


@router.post(
    "/{artifact_id}/rehydrate",
    responses=problems(
        errors.ArtifactNotFound,
        errors.InvalidTransition,
        errors.PreconditionFailed,
        errors.BytesNotServed,
        errors.BytesUncertain,
        errors.BlobNotFound,
        errors.BlobUnreadable,
        errors.StorageUnavailable,
        takes_body=True,
    )
    | answer(Artifact, "The bytes are back.", _BACK, headers=["ETag"])
    | answer(Artifact, "The bytes are on their way.", _PENDING, status=202, headers=["ETag"]),
)
def rehydrate_artifact(
    entry: Entrance,
    artifact_id: ArtifactIdInput,
    if_match: IfMatch,
    asked: Annotated[
        RehydrateRequest | None, Body(examples=[{"target_tier": "Hot", "priority": "Standard"}])
    ] = None,
) -> Response:
    """Bring archived bytes back, from the tier Archive within hours; `rehydrating_to` says so.

    The artifact stays archived, and waits anew for what policies do to archived ones.
    """
    artifact = entry.registry.rehydration.rehydrate(
        artifact_id, asked or RehydrateRequest(), entry.origin, if_match=if_match
    )
    return artifact_answer(artifact, 202 if artifact.rehydrating_to else 200)
