"""API keys: made, looked at and ended by administrators."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from functions.http.answers import json_answer
from functions.http.conditions import IfMatch
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import OperatorRoute
from functions.http.key_bodies import ExpiryRequest, KeyRequest, NewKeyAnswer, RotationRequest
from functions.http.parameters import DEFAULT_PAGE, Cursor
from shared import errors
from shared.models.api_keys import ApiKey, CreatedKey, KeyPage, KeyState
from shared.models.entity_tags import entity_tag
from shared.models.ids import IdInput
from shared.services.key_reads import MAXIMUM_KEYS

_PREFIX = "/api/admin/keys"
_CHANGING = (errors.KeyNotFound, errors.KeyEnded, errors.PreconditionFailed)

_KEY: dict[str, Any] = {
    "key_id": "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90",
    "name": "flood-pipeline",
    "scopes": ["read", "write"],
    "created_at": "2026-01-22T09:30:00Z",
    "expires_at": "2027-01-22T00:00:00Z",
    "revoked_at": None,
    "rotated_from": None,
    "replaced_by": None,
}
_NEW_KEY = _KEY | {"key": "ark_…"}
_ASKED = {name: _KEY[name] for name in ("name", "scopes", "expires_at")}

State = Annotated[
    KeyState | None, Query(description="Only keys that are this now; without it, all.")
]
Limit = Annotated[int, Query(ge=1, le=MAXIMUM_KEYS)]

router = APIRouter(prefix=_PREFIX, tags=["keys"], route_class=OperatorRoute)


async def _no_idempotency_key(request: Request) -> None:
    """Raise InvalidInput: a text that nobody keeps cannot be the answer a second time."""
    if "Idempotency-Key" in request.headers:
        raise errors.InvalidInput(
            "A new key's text is told once: no request for one can be repeated.",
            "/Idempotency-Key",
        )


_TOLD_ONCE = [Depends(_no_idempotency_key)]


@router.post(
    "",
    dependencies=_TOLD_ONCE,
    responses=problems(takes_body=True)
    | answer(NewKeyAnswer, "The key.", _NEW_KEY, status=201, headers=["ETag", "Location"]),
)
def create_key(entry: Entrance, asked: Annotated[KeyRequest, Body(examples=[_ASKED])]) -> Response:
    """Make a key. `key` is its text, told this once; no scope that the caller lacks is given."""
    made = entry.registry.keys.create(
        asked.name,
        asked.scopes,
        asked.expires_at,
        entry.origin,
        grantable=entry.caller.scopes,
    )
    return _new_key_answer(made)


@router.get(
    "", responses=problems() | answer(KeyPage, "A page of keys.", {"keys": [_KEY], "next": None})
)
def list_keys(
    entry: Entrance, state: State = None, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> Response:
    """Active and expired keys by their end, soonest first; all and revoked ones newest first."""
    return json_answer(entry.registry.keys.list_keys(state, limit=limit, cursor=cursor))


@router.get(
    "/{key_id}",
    responses=problems(errors.KeyNotFound) | answer(ApiKey, "The key.", _KEY, headers=["ETag"]),
)
def get_key(entry: Entrance, key_id: IdInput) -> Response:
    """One key; its text is not kept."""
    return _key_answer(entry.registry.keys.get(key_id))


@router.patch(
    "/{key_id}",
    responses=problems(*_CHANGING, takes_body=True)
    | answer(ApiKey, "The key.", _KEY, headers=["ETag"]),
)
def change_expiry(
    entry: Entrance,
    key_id: IdInput,
    asked: Annotated[ExpiryRequest, Body(examples=[{"expires_at": _KEY["expires_at"]}])],
    if_match: IfMatch,
) -> Response:
    """Let an active key end at another instant, or never."""
    keys = entry.registry.keys
    return _key_answer(
        keys.change_expiry(key_id, asked.expires_at, entry.origin, if_match=if_match)
    )


@router.post(
    "/{key_id}/revoke",
    responses=problems(errors.KeyNotFound, errors.PreconditionFailed)
    | answer(ApiKey, "The key.", _KEY | {"revoked_at": "2026-02-01T12:00:00Z"}, headers=["ETag"]),
)
def revoke_key(entry: Entrance, key_id: IdInput, if_match: IfMatch) -> Response:
    """End a key at once and for good. Revoking again changes nothing."""
    return _key_answer(entry.registry.keys.revoke(key_id, entry.origin, if_match=if_match))


@router.post(
    "/{key_id}/rotate",
    dependencies=_TOLD_ONCE,
    responses=problems(*_CHANGING, takes_body=True)
    | answer(
        NewKeyAnswer,
        "The new key.",
        _NEW_KEY | {"rotated_from": "0198b1c0-55aa-7c11-8d2e-6f0a9b3c4d5e"},
        status=201,
        headers=["ETag", "Location"],
    ),
)
def rotate_key(
    entry: Entrance,
    key_id: IdInput,
    if_match: IfMatch,
    asked: Annotated[RotationRequest | None, Body(examples=[{"overlap": "P1D"}])] = None,
) -> Response:
    """Make a key of the same name, scopes and lifetime; the old one ends after the overlap."""
    made = entry.registry.keys.rotate(
        key_id,
        (asked or RotationRequest()).overlap,
        entry.origin,
        grantable=entry.caller.scopes,
        if_match=if_match,
    )
    return _new_key_answer(made)


def _key_answer(key: ApiKey) -> Response:
    return json_answer(key, headers={"ETag": _tag_of(key)})


def _new_key_answer(made: CreatedKey) -> Response:
    headers = {"ETag": _tag_of(made.key), "Location": f"{_PREFIX}/{made.key_id}"}
    return json_answer(NewKeyAnswer.of(made), 201, headers)


def _tag_of(key: ApiKey) -> str:
    """Of the key as it is read back, without its text."""
    return f'"{entity_tag(key)}"'
