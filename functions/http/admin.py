"""The admin surface: what operators look at. Paths and answers are the source document's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from functions.http.admin_answers import ArtifactAnswer, ChainAnswer, HistoryAnswer, JobAnswer
from functions.http.dependencies import RegistryProvider, admin_access, unrepeated_parameters
from functions.http.reference_query import QueriedReferences
from shared.errors import InvalidInput
from shared.models.artifacts import Name
from shared.models.chains import Direction
from shared.models.ids import ArtifactIdInput
from shared.models.text import Text
from shared.services.artifact_reads import MAXIMUM_PAGE

_DEFAULT_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=MAXIMUM_PAGE)]
Cursor = Annotated[str | None, Query(max_length=200)]
ClientType = Annotated[Text, Query(min_length=1, max_length=50)]
ItemName = Annotated[Name | None, Query()]

router = APIRouter(
    prefix="/api/admin/artifacts",
    tags=["admin"],
    dependencies=[Depends(admin_access), Depends(unrepeated_parameters)],
)


@router.get("/stac")
def get_by_stac(
    registry: RegistryProvider,
    stac_collection_id: ItemName = None,
    stac_item_id: ItemName = None,
    collection_id: ItemName = None,
    item_id: ItemName = None,
) -> ArtifactAnswer:
    """The active artifact of a STAC item, else its newest."""
    collection = _either("stac_collection_id", stac_collection_id, collection_id)
    item = _either("stac_item_id", stac_item_id, item_id)
    return ArtifactAnswer(artifact=registry().artifacts.get_by_stac(collection, item))


@router.get("/history")
def get_history(
    registry: RegistryProvider,
    client_type: ClientType,
    client_refs: QueriedReferences,
    limit: Limit = _DEFAULT_PAGE,
    cursor: Cursor = None,
) -> HistoryAnswer:
    """The revisions of an asset, newest first.

    Every parameter that is not listed here is a client reference with a text value.
    """
    reads = registry().artifacts
    return HistoryAnswer.of(reads.get_history(client_type, client_refs, limit=limit, cursor=cursor))


@router.get("/job/{job_id:path}")
def get_by_job(
    registry: RegistryProvider,
    job_id: Annotated[Name, Path()],
    limit: Limit = _DEFAULT_PAGE,
    cursor: Cursor = None,
) -> JobAnswer:
    """The artifacts that a job made, oldest first."""
    page = registry().artifacts.get_by_job(job_id, limit=limit, cursor=cursor)
    return JobAnswer.of(job_id, page)


@router.get("/{artifact_id}")
def get_artifact(registry: RegistryProvider, artifact_id: ArtifactIdInput) -> ArtifactAnswer:
    """One artifact; its id is a UUID or a ULID."""
    return ArtifactAnswer(artifact=registry().artifacts.get_by_id(artifact_id))


@router.get("/{artifact_id}/chain")
def get_chain(
    registry: RegistryProvider,
    artifact_id: ArtifactIdInput,
    direction: Direction = Direction.BOTH,
    limit: Limit = MAXIMUM_PAGE,
    cursor: Cursor = None,
) -> ChainAnswer:
    """The supersession chain through an artifact, tombstones included."""
    reads = registry().artifacts
    return ChainAnswer.of(
        reads.get_supersession_chain(artifact_id, direction, limit=limit, cursor=cursor)
    )


def _either(name: str, value: str | None, short: str | None) -> str:
    """A parameter that has a shorter name as well."""
    if value is not None and short is not None:
        raise InvalidInput("A parameter is given under both of its names.", f"/{name}")
    given = value if value is not None else short
    if given is None:
        raise InvalidInput("A parameter is missing.", f"/{name}")
    return given
