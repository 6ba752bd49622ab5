"""The admin surface, looking: what operators see. Paths and answers are the source document's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from functions.http.admin_answers import (
    ArtifactAnswer,
    ChainAnswer,
    HistoryAnswer,
    JobAnswer,
    MatchedAnswer,
    StatisticsAnswer,
)
from functions.http.answers import json_answer, wrapped_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.examples import ARTIFACT, ARTIFACT_ID, CLIENT_REFS
from functions.http.guarded_route import AdminRoute
from functions.http.parameters import (
    DEFAULT_PAGE,
    ClientType,
    Cursor,
    ItemName,
    Limit,
    OptionalClientType,
)
from functions.http.reference_query import PagedReferences, References, references_beside
from shared.errors import ArtifactNotFound, InvalidInput, TooManyMatches
from shared.models.artifacts import Artifact, Name
from shared.models.axes import Status
from shared.models.chains import Direction
from shared.models.ids import ArtifactIdInput
from shared.services.artifact_reads import MAXIMUM_PAGE

_REFERENCES = "Every parameter that is not listed here is a client reference with a text value."
_MATCH = {"match": "exact", "matched_assets": 1}

router = APIRouter(prefix="/api/admin/artifacts", tags=["admin"], route_class=AdminRoute)


@router.get(
    "/stac",
    responses=problems(ArtifactNotFound)
    | answer(ArtifactAnswer, "The artifact.", {"artifact": ARTIFACT}, headers=["ETag"]),
)
def get_by_stac(
    entry: Entrance,
    stac_collection_id: ItemName = None,
    stac_item_id: ItemName = None,
    collection_id: ItemName = None,
    item_id: ItemName = None,
) -> Response:
    """The active artifact of a STAC item, else its newest.

    `collection_id` and `item_id` are shorter names of `stac_collection_id` and `stac_item_id`.
    """
    collection = _either("stac_collection_id", stac_collection_id, collection_id)
    item = _either("stac_item_id", stac_item_id, item_id)
    artifact = entry.registry.artifacts.get_by_stac(collection, item)
    entry.request.state.artifact_id = artifact.artifact_id
    return wrapped_answer(artifact)


@router.get(
    "/refs",
    description=f"The current artifact of an asset.\n\n{_REFERENCES}",
    responses=problems(ArtifactNotFound, TooManyMatches)
    | answer(MatchedAnswer, "The artifact.", {"artifact": ARTIFACT} | _MATCH, headers=["ETag"]),
)
def get_by_references(
    entry: Entrance,
    client_type: ClientType,
    client_refs: Annotated[References, Depends(references_beside("include_superseded"))],
    include_superseded: Annotated[
        bool, Query(description="Where there is no current artifact: the newest of any status.")
    ] = False,
) -> Response:
    found = entry.registry.artifacts.get_by_client_refs(
        client_type, client_refs, include_superseded=include_superseded
    )
    entry.request.state.artifact_id = found.artifact_id
    # The artifact alone, so that it has the entity tag that it has everywhere.
    artifact = Artifact.model_construct(**{n: getattr(found, n) for n in Artifact.model_fields})
    return wrapped_answer(artifact, {"match": found.match, "matched_assets": found.matched_assets})


@router.get(
    "/history",
    description=f"The revisions of an asset, newest first.\n\n{_REFERENCES}",
    responses=problems(TooManyMatches)
    | answer(
        HistoryAnswer,
        "A page of revisions.",
        {"client_type": "ddh", "client_refs": CLIENT_REFS}
        | _MATCH
        | {"revision_count": 3, "history": [ARTIFACT], "next": None},
    ),
)
def get_history(
    entry: Entrance,
    client_type: ClientType,
    client_refs: PagedReferences,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> Response:
    reads = entry.registry.artifacts
    found = reads.get_history(client_type, client_refs, limit=limit, cursor=cursor)
    return json_answer(HistoryAnswer.of(found))


@router.get(
    "/stats",
    responses=problems()
    | answer(
        StatisticsAnswer,
        "The figures.",
        {
            "client_type": "ddh",
            "stats": {"artifact_count": 3, "size_bytes": 157286400, "row_count": 0}
            | {"asset_count": 1}
            | {
                "statuses": {
                    status: {"artifact_count": count, "size_bytes": count << 20, "row_count": 0}
                    for status, count in zip(Status, (0, 1, 2, 0, 0), strict=True)
                }
            },
        },
    ),
)
def get_statistics(entry: Entrance, client_type: OptionalClientType = None) -> Response:
    """How much is registered, of one client or of all."""
    stats = entry.registry.artifacts.get_stats(client_type)
    return json_answer(StatisticsAnswer(client_type=client_type, stats=stats))


@router.get(
    "/job/{job_id:path}",
    responses=problems()
    | answer(
        JobAnswer,
        "A page of artifacts.",
        {"job_id": "job-123", "count": 1, "artifacts": [ARTIFACT], "next": None},
    ),
)
def get_by_job(
    entry: Entrance,
    job_id: Annotated[Name, Path()],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> Response:
    """The artifacts that a job made, oldest first."""
    page = entry.registry.artifacts.get_by_job(job_id, limit=limit, cursor=cursor)
    return json_answer(JobAnswer.of(job_id, page))


@router.get(
    "/{artifact_id}",
    responses=problems(ArtifactNotFound)
    | answer(ArtifactAnswer, "The artifact.", {"artifact": ARTIFACT}, headers=["ETag"]),
)
def get_artifact(entry: Entrance, artifact_id: ArtifactIdInput) -> Response:
    """One artifact; its id is a UUID or a ULID."""
    return wrapped_answer(entry.registry.artifacts.get_by_id(artifact_id))


@router.get(
    "/{artifact_id}/chain",
    responses=problems(ArtifactNotFound)
    | answer(
        ChainAnswer,
        "A page of the chain.",
        {"artifact_id": ARTIFACT_ID, "direction": "both", "chain_length": 1}
        | {"chain": [ARTIFACT], "next": None},
    ),
)
def get_chain(
    entry: Entrance,
    artifact_id: ArtifactIdInput,
    direction: Direction = Direction.BOTH,
    limit: Limit = MAXIMUM_PAGE,
    cursor: Cursor = None,
) -> Response:
    """The supersession chain through an artifact, tombstones included."""
    reads = entry.registry.artifacts
    found = reads.get_supersession_chain(artifact_id, direction, limit=limit, cursor=cursor)
    return json_answer(ChainAnswer.of(found))


def _either(name: str, value: str | None, short: str | None) -> str:
    """A parameter that has a shorter name as well."""
    if value is not None and short is not None:
        raise InvalidInput("A parameter is given under both of its names.", f"/{name}")
    given = value if value is not None else short
    if given is None:
        raise InvalidInput("A parameter is missing.", f"/{name}")
    return given
