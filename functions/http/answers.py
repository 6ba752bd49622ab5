"""Answers: written as JSON once, straight to bytes."""

import json
from collections.abc import Mapping

from fastapi import Response
from pydantic import BaseModel

from functions.http.conditions import is_match
from shared.models.artifacts import Artifact
from shared.models.entity_tags import entity_tag, tag_of_json

_JSON = "application/json"
_NOT_MODIFIED = 304


def json_answer(
    told: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A model as it stands; it was checked when it was made."""
    return Response(told.model_dump_json(), status, headers, _JSON)


def artifact_answer(
    artifact: Artifact,
    status: int = 200,
    *,
    location: str | None = None,
    if_none_match: frozenset[str] | None = None,
) -> Response:
    """The artifact itself with its entity tag; without a body for whoever has this state."""
    text = artifact.model_dump_json()
    tag = tag_of_json(text)
    headers = {"ETag": _quoted(tag)} | ({"Location": location} if location else {})
    if is_match(tag, if_none_match):
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return Response(text, status, headers, _JSON)


def wrapped_answer(artifact: Artifact, members: Mapping[str, str | int] | None = None) -> Response:
    """`{"artifact": …}` with the artifact's entity tag, and with these members beside it."""
    text = artifact.model_dump_json()
    beside = "".join(f',"{name}":{json.dumps(value)}' for name, value in (members or {}).items())
    headers = {"ETag": _quoted(tag_of_json(text))}
    return Response(f'{{"artifact":{text}{beside}}}', 200, headers, _JSON)


def entity_tag_of(artifact: Artifact) -> str:
    """An artifact's entity tag, as a header has it."""
    return _quoted(entity_tag(artifact))


def _quoted(tag: str) -> str:
    return f'"{tag}"'
