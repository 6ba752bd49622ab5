"""The admin surface, changing: what operators may do to an artifact."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue

from functions.http.admin_answers import ArtifactAnswer, MovedAnswer
from functions.http.answers import entity_tag_of, json_answer, wrapped_answer
from functions.http.conditions import IfMatch
from functions.http.documented import Documentation, answer, problems
from functions.http.entry import Entrance
from functions.http.examples import ARTIFACT, ARTIFACT_ID, METADATA
from functions.http.guarded_route import AdminRoute
from shared import errors
from shared.models.ids import ArtifactIdInput
from shared.models.registrations import Move
from shared.models.text import keepable_json
from shared.models.tiers import ColderTier

_BYTES = (
    errors.ArtifactHeld,
    errors.LocationShared,
    errors.BytesNotServed,
    errors.BytesUncertain,
    errors.BlobNotFound,
    errors.BlobUnreadable,
    errors.StorageUnavailable,
)
_CHANGING = (errors.ArtifactNotFound, errors.InvalidTransition, errors.PreconditionFailed)

Confirmation = Annotated[
    Literal["yes"], Query(description="Says that this is meant: nothing happens without it.")
]
Metadata = Annotated[dict[str, JsonValue], AfterValidator(keepable_json), Body(examples=[METADATA])]

router = APIRouter(prefix="/api/admin/artifacts", tags=["admin"], route_class=AdminRoute)


class ArchiveRequest(BaseModel):
    """How cold the bytes are to lie."""

    model_config = ConfigDict(extra="forbid")

    target_tier: ColderTier = ColderTier.ARCHIVE


def _moved(message: str) -> Documentation:
    told = {"message": message, "artifact_id": ARTIFACT_ID, "previous_status": "active"}
    return answer(MovedAnswer, "What was done.", told, headers=["ETag"])


@router.patch(
    "/{artifact_id}/metadata",
    responses=problems(*_CHANGING, takes_body=True)
    | answer(ArtifactAnswer, "The artifact.", {"artifact": ARTIFACT}, headers=["ETag"]),
)
def update_metadata(
    entry: Entrance, artifact_id: ArtifactIdInput, metadata: Metadata, if_match: IfMatch
) -> Response:
    """Merge metadata key by key; null is stored like any value, and what is absent stays."""
    artifact = entry.registry.artifacts.update_metadata(
        artifact_id, metadata, entry.origin, if_match=if_match
    )
    return wrapped_answer(artifact)


@router.delete(
    "/{artifact_id}",
    responses=problems(errors.ArtifactNotFound, errors.PreconditionFailed, errors.ArtifactHeld)
    | _moved("The artifact is deleted."),
)
def delete_artifact(
    entry: Entrance, artifact_id: ArtifactIdInput, confirm: Confirmation, if_match: IfMatch
) -> Response:
    """Set the tombstone; record, chain and bytes stay. Deleting again changes nothing."""
    del confirm
    moved = entry.registry.artifacts.mark_deleted(artifact_id, entry.origin, if_match=if_match)
    return _tell("The artifact is deleted.", moved)


@router.post(
    "/{artifact_id}/archive",
    responses=problems(*_CHANGING, *_BYTES, takes_body=True) | _moved("The artifact is archived."),
)
def archive_artifact(
    entry: Entrance,
    artifact_id: ArtifactIdInput,
    if_match: IfMatch,
    asked: Annotated[ArchiveRequest | None, Body(examples=[{"target_tier": "Cool"}])] = None,
) -> Response:
    """Put the bytes into a colder tier; the asset then has no current artifact."""
    tier = (asked or ArchiveRequest()).target_tier
    moved = entry.registry.retirement.archive(artifact_id, tier, entry.origin, if_match=if_match)
    return _tell("The artifact is archived.", moved)


@router.post(
    "/{artifact_id}/purge",
    responses=problems(*_CHANGING, *_BYTES) | _moved("The artifact is purged."),
)
def purge_artifact(
    entry: Entrance, artifact_id: ArtifactIdInput, confirm: Confirmation, if_match: IfMatch
) -> Response:
    """Remove the bytes of a deleted artifact; the tombstone stays."""
    del confirm
    moved = entry.registry.retirement.purge(artifact_id, entry.origin, if_match=if_match)
    return _tell("The artifact is purged.", moved)


def _tell(message: str, moved: Move) -> Response:
    told = MovedAnswer(
        message=message,
        artifact_id=moved.artifact.artifact_id,
        previous_status=moved.previous,
    )
    return json_answer(told, headers={"ETag": entity_tag_of(moved.artifact)})
