"""Registering in tests: one asset, contents told apart by a word."""

import hashlib
from typing import Any

import psycopg
from psycopg.rows import DictRow

from shared.models.artifacts import Artifact
from shared.models.content_hash import ContentHash, parse_content_hash
from shared.services.artifact_service import ArtifactService

REFS = {"dataset_id": "flood-2024", "resource_id": "site-a"}


def hash_of(text: str) -> ContentHash:
    return parse_content_hash(hashlib.sha256(text.encode()).hexdigest())


def create(service: ArtifactService, content: str | None = None, **fields: Any) -> Artifact:
    given: dict[str, Any] = {"client_type": "ddh", "client_refs": REFS, "overwrite": True}
    hashed: dict[str, Any] = {"content_hash": hash_of(content)} if content else {}
    return service.create_artifact(**(given | hashed | fields))


def count_artifacts(sql: psycopg.Connection[DictRow]) -> int:
    row = sql.execute("SELECT count(*) AS n FROM registry.artifacts").fetchone()
    assert row
    return row["n"]
