"""The admin surface on duplicates: the same bytes, whoever registered them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from functions.http.admin_answers import DuplicatesAnswer
from functions.http.answers import json_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.examples import ARTIFACT, CONTENT_HASH
from functions.http.guarded_route import AdminRoute
from functions.http.parameters import DEFAULT_PAGE, Cursor, Limit, OptionalClientType
from shared.errors import InvalidInput
from shared.models.content_hash import parse_content_hash
from shared.models.duplicates import DuplicateGroups

_GROUP = {
    "content_hash": CONTENT_HASH,
    "size_bytes": 52428800,
    "artifact_count": 2,
    "asset_count": 2,
    "clients": {"data360": 1, "ddh": 1},
    "copies": 2,
    "duplicate_bytes": 52428800,
    "is_capped": False,
}

router = APIRouter(prefix="/api/admin/artifacts", tags=["admin"], route_class=AdminRoute)
_PAGE = {"content_hash": CONTENT_HASH, "count": 1, "artifacts": [ARTIFACT], "next": None}


@router.get(
    "/duplicates",
    responses=problems()
    | answer(
        # A union: the documentation shows both forms.
        DuplicatesAnswer | DuplicateGroups,
        "The artifacts of one content, or a page of groups.",
        {"groups": [_GROUP], "next": None},
    ),
)
def get_duplicates(
    entry: Entrance,
    content_hash: Annotated[str | None, Query()] = None,
    client_type: OptionalClientType = None,
    across_clients: Annotated[bool, Query()] = False,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> Response:
    """The artifacts that hold the bytes of one `content_hash`, deleted ones left out.

    Without a hash: groups of artifacts with the same bytes, and what the copies cost; those in
    which `client_type` has a part, and with `across_clients` those of several clients.
    """
    reads = entry.registry.artifacts
    if content_hash is None:
        groups = reads.list_duplicate_groups(
            client_type=client_type, across_clients=across_clients, limit=limit, cursor=cursor
        )
        return json_answer(groups)
    if client_type is not None or across_clients:
        raise InvalidInput("A content hash is looked for among all clients.", "/content_hash")
    page = reads.find_duplicates(content_hash, limit=limit, cursor=cursor)
    told = DuplicatesAnswer(
        content_hash=parse_content_hash(content_hash) if content_hash else None,
        count=len(page.artifacts),
        artifacts=page.artifacts,
        next=page.next,
    )
    return json_answer(told)
