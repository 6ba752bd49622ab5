"""Holds: what nobody may archive, delete or purge."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from functions.http.admin_changes import Confirmation
from functions.http.answers import json_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import AdminRoute
from functions.http.parameters import DEFAULT_PAGE, Cursor, Limit
from shared import errors
from shared.models.holds import Hold, HoldPage, HoldRequest
from shared.models.ids import IdInput

_PREFIX = "/api/admin/holds"
_WANTED: dict[str, Any] = {
    "selector": {"client_type": "ddh", "container": "evidence"},
    "reason": "litigation 7",
    "until": None,
}
_HOLD: dict[str, Any] = _WANTED | {
    "hold_id": "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e91",
    "artifact_id": None,
    "asset_id": None,
    "owner": "key:0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e92",
    "placed_at": "2026-01-22T09:30:00Z",
    "released_at": None,
    "released_by": None,
}
_RELEASED = _HOLD | {
    "released_at": "2026-03-01T12:00:00Z",
    "released_by": "key:0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e92",
}

Released = Annotated[bool, Query(description="Those that were released, too.")]

router = APIRouter(prefix=_PREFIX, tags=["holds"], route_class=AdminRoute)


@router.get(
    "",
    responses=problems() | answer(HoldPage, "A page of holds.", {"holds": [_HOLD], "next": None}),
)
def list_holds(
    entry: Entrance,
    released: Released = False,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> Response:
    """Holds, newest first; those whose end has come by itself stay among the unreleased."""
    page = entry.registry.holds.list_holds(with_released=released, limit=limit, cursor=cursor)
    return json_answer(page)


@router.post(
    "",
    responses=problems(errors.ArtifactNotFound, errors.AssetNotFound, takes_body=True)
    | answer(Hold, "The hold.", _HOLD, status=201, headers=["Location"]),
)
def place_hold(
    entry: Entrance, asked: Annotated[HoldRequest, Body(examples=[_WANTED])]
) -> Response:
    """Hold an artifact, all of an asset, or whatever a selector means, now and later.

    Once this answers, nothing is being archived, deleted or purged of it any more.
    """
    hold = entry.registry.holds.place(asked, entry.origin)
    return json_answer(hold, 201, {"Location": f"{_PREFIX}/{hold.hold_id}"})


@router.get(
    "/{hold_id}",
    responses=problems(errors.HoldNotFound) | answer(Hold, "The hold.", _HOLD),
)
def get_hold(entry: Entrance, hold_id: IdInput) -> Response:
    """One hold."""
    return json_answer(entry.registry.holds.get(hold_id))


@router.delete(
    "/{hold_id}",
    responses=problems(errors.HoldNotFound) | answer(Hold, "The hold, released.", _RELEASED),
)
def release_hold(entry: Entrance, hold_id: IdInput, confirm: Confirmation) -> Response:
    """Release a hold; its record stays. Releasing again changes nothing."""
    del confirm
    return json_answer(entry.registry.holds.release(hold_id, entry.origin))
