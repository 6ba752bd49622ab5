"""Where artifacts point, in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.blobs import BlobReference

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class SightedPage:
    """What is left to do after a look was followed on a page of artifacts."""

    next_id: UUID | None
    """Behind which artifact the next page is; None: that was the last."""
    unclear: list[str]
    """Versions that artifacts of the page name: that the blob is gone does not tell of them."""


@dataclass(frozen=True)
class RegisteredPath:
    """The name of a blob, and an artifact that points there."""

    path: str
    artifact_id: UUID


class LocationRepository:
    """Every statement about locations. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def sight(self, request: Mapping[str, Any]) -> SightedPage:
        """Run `registry.sight_location`."""
        row = self._one("sight", request)
        return SightedPage(row["next_id"], row["unclear"] or [])

    def move(self, request: Mapping[str, Any]) -> bool:
        """Run `registry.move_location`: whether the artifact moved."""
        return self._one("move", request)["is_moved"]

    def paths_under(
        self, folder: BlobReference, after: RegisteredPath, limit: int
    ) -> list[RegisteredPath]:
        """A page of what artifacts that are not deleted point at in a folder."""
        parameters = {
            "storage_account": folder.account,
            "container": folder.container,
            "folder": folder.path,
            "after_path": after.path,
            "after_id": after.artifact_id,
            "limit": limit,
        }
        rows = self._connection.execute(_QUERIES["paths_under"], parameters).fetchall()
        return [RegisteredPath(row["blob_path"], row["artifact_id"]) for row in rows]

    def _one(self, name: str, request: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], {"request": Jsonb(request)}).fetchone()
        assert row is not None  # noqa: S101 - each of the functions answers with one row
        return row
