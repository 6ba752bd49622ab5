"""Integrity: bytes are compared with their hashes when somebody asks, and how recently all were."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from functions.http.answers import entity_tag_of, json_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.examples import ARTIFACT, ARTIFACT_ID
from functions.http.guarded_route import PipelineRoute, StrictAdminRoute
from shared import errors
from shared.models.ids import ArtifactIdInput
from shared.models.integrity import ArtifactSample, Coverage, Verification, VerificationResult
from shared.services.scrub import LARGEST_SAMPLE, LONGEST_DAYS

_VERIFIED_AT = "2026-05-04T08:00:00Z"
_VERIFIED: dict[str, Any] = {
    "result": "ok",
    "reason": None,
    "artifact": ARTIFACT | {"verified_at": _VERIFIED_AT, "updated_at": _VERIFIED_AT},
}
_PENDING: dict[str, Any] = {"result": "pending", "reason": None, "artifact": ARTIFACT}
_COVERAGE: dict[str, Any] = {
    "days": 30,
    "is_covered": True,
    "oldest_look_at": "2026-04-06T02:10:00Z",
    "results": {
        "ok": {"artifacts": 104211, "size_bytes": 5497558138880},
        "mismatch": {"artifacts": 1, "size_bytes": 52428800},
        "missing": {"artifacts": 0, "size_bytes": 0},
        "unreadable": {"artifacts": 0, "size_bytes": 0},
    },
    "corrupt_count": 1,
    "corrupt": [ARTIFACT_ID],
    "waiting": 12,
    "scrub_bytes_per_day": 1099511627776,
}

Days = Annotated[
    int | None,
    Query(ge=1, le=LONGEST_DAYS, description="Within how many; by default the scrub's own."),
]
Size = Annotated[int, Query(ge=1, le=LARGEST_SAMPLE, description="How many artifacts.")]

router = APIRouter(prefix="/api/v1/artifacts", tags=["artifacts"], route_class=PipelineRoute)
reports = APIRouter(prefix="/api/admin/integrity", tags=["integrity"], route_class=StrictAdminRoute)


@router.post(
    "/{artifact_id}/verify",
    responses=problems(
        errors.ArtifactNotFound,
        errors.InvalidTransition,
        errors.BlobChanged,
        errors.StorageUnavailable,
    )
    | answer(Verification, "It was looked at.", _VERIFIED, headers=["ETag"])
    | answer(Verification, "It is being read.", _PENDING, status=202, headers=["ETag"]),
)
def verify_artifact(entry: Entrance, artifact_id: ArtifactIdInput) -> Response:
    """Read the bytes and compare them with the artifact's hash.

    `mismatch` marks the artifact with `found_corrupt_at` until they are right again. What is large
    is read later: `pending`.
    """
    seen = entry.registry.verifications.check_now(artifact_id, entry.origin)
    status = 202 if seen.result is VerificationResult.PENDING else 200
    return json_answer(seen, status, {"ETag": entity_tag_of(seen.artifact)})


@reports.get(
    "",
    responses=problems() | answer(Coverage, "The report.", _COVERAGE),
)
def get_integrity(entry: Entrance, days: Days = None) -> Response:
    """How recently the bytes of all artifacts were compared with their hashes."""
    return json_answer(entry.registry.scrub.coverage(days))


@reports.get(
    "/sample",
    responses=problems()
    | answer(ArtifactSample, "The artifacts.", {"artifact_ids": [ARTIFACT_ID]}),
)
def get_sample(entry: Entrance, size: Size = 10) -> Response:
    """Artifacts that chance chose, to verify them: fewer where there are hardly so many."""
    return json_answer(entry.registry.scrub.sample(size))
