"""Messages that could not be used: looked at, replayed once the cause is mended, or discarded."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from functions.http.admin_changes import Confirmation
from functions.http.answers import json_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.failure_bodies import (
    DETAIL,
    DISCARDED,
    FAILURE,
    REPLAY,
    REPLAYING,
    REPLAYS_ASKED,
    ReplayRequest,
)
from functions.http.guarded_route import AdminRoute, OperatorRoute
from functions.http.parameters import DEFAULT_PAGE, Cursor, Limit
from shared import errors
from shared.models.ids import IdInput
from shared.models.set_aside import (
    Failure,
    FailureDetail,
    FailureFilter,
    FailurePage,
    FailureState,
    Named,
    ReplaysAsked,
)

_PREFIX = "/api/admin/ingest/failures"

State = Annotated[FailureState, Query(description="What became of them.")]
Source = Annotated[Named | None, Query(description="Only of this queue.")]
Reason = Annotated[Named | None, Query(description="Only with this reason.")]

router = APIRouter(prefix=_PREFIX, tags=["failures"], route_class=AdminRoute)
bodies = APIRouter(prefix=_PREFIX, tags=["failures"], route_class=OperatorRoute)


@router.get(
    "",
    responses=problems()
    | answer(FailurePage, "A page of failures.", {"failures": [FAILURE], "next": None}),
)
def list_failures(
    entry: Entrance,
    state: State = FailureState.OPEN,
    source: Source = None,
    reason: Reason = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> Response:
    """Messages that were set aside, newest first, without their bodies."""
    wanted = FailureFilter(state, source, reason)
    return json_answer(entry.registry.failures.list_failures(wanted, limit=limit, cursor=cursor))


@router.post(
    "/replay",
    responses=problems(errors.StorageUnavailable, takes_body=True)
    | answer(ReplaysAsked, "How many will be taken once more.", REPLAYS_ASKED, status=202),
)
def replay_failures(
    entry: Entrance, asked: Annotated[ReplayRequest, Body(examples=[REPLAY])]
) -> Response:
    """Have a page of failures taken once more. Repeating it does no harm.

    `skipped` came from queues that this registry no longer takes messages from.
    """
    done = entry.registry.failures.replay_all(
        asked.wanted, entry.origin, limit=asked.limit, cursor=asked.cursor
    )
    return json_answer(done, 202)


@bodies.get(
    "/{set_aside_id}",
    responses=problems(errors.FailureNotFound) | answer(FailureDetail, "The failure.", DETAIL),
)
def get_failure(entry: Entrance, set_aside_id: IdInput) -> Response:
    """One failure with the message's body, from which secrets were struck out."""
    return json_answer(entry.registry.failures.get(set_aside_id))


@router.post(
    "/{set_aside_id}/replay",
    responses=problems(
        errors.FailureNotFound,
        errors.FailureEnded,
        errors.NotReplayable,
        errors.StorageUnavailable,
    )
    | answer(Failure, "The failure, which will be taken once more.", REPLAYING, status=202),
)
def replay_failure(entry: Entrance, set_aside_id: IdInput) -> Response:
    """Have a message taken once more by what takes its queue. What was replayed is left alone."""
    return json_answer(entry.registry.failures.replay(set_aside_id, entry.origin), 202)


@router.delete(
    "/{set_aside_id}",
    responses=problems(errors.FailureNotFound, errors.FailureEnded)
    | answer(Failure, "The failure, which is closed.", DISCARDED),
)
def discard_failure(entry: Entrance, set_aside_id: IdInput, confirm: Confirmation) -> Response:
    """Close a message that nobody needs; its record stays. Discarding again changes nothing."""
    del confirm
    return json_answer(entry.registry.failures.discard(set_aside_id, entry.origin))
