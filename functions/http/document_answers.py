"""Answers that tell of a document, or of one of its items: each with its entity tag."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel
from pydantic_core import to_json

from functions.http.answers import json_answer
from shared.models.documents import DocumentItem
from shared.models.entity_tags import entity_tag

ETAG = ["ETag"]

DryRun = Annotated[bool, Query(description="Only tell what would change.")]


def document_answer(told: BaseModel, version_tag: str) -> Response:
    """What tells of a whole document, of this version."""
    return json_answer(told, headers={"ETag": f'"{version_tag}"'})


def item_answer(item: DocumentItem, status: int = 200, *, location: str | None = None) -> Response:
    """One item as it is kept."""
    headers = {"ETag": f'"{entity_tag(item)}"'} | ({"Location": location} if location else {})
    return Response(to_json(item.as_json()), status, headers, "application/json")
