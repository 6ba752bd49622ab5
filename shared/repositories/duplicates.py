"""The same bytes, in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from shared.database.queries import load_queries
from shared.models.artifacts import Artifact
from shared.models.content_hash import ContentHash
from shared.models.duplicates import DuplicateGroup
from shared.repositories.records import read_artifact_if_any, read_artifacts

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Held:
    """A place in the order of the artifacts of one content."""

    asset_id: UUID
    artifact_id: UUID


BEFORE_ALL = Held(UUID(int=0), UUID(int=0))


@dataclass(frozen=True)
class GroupPage:
    """Some groups; `next` is the hash behind which the list goes on, None where it ends."""

    groups: list[DuplicateGroup]
    next: ContentHash | None


class DuplicateRepository:
    """Every statement about the same bytes. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def current_of(self, client_type: str, client_refs: Mapping[str, JsonValue]) -> Artifact | None:
        """The current artifact of the asset of exactly these canonical references."""
        parameters = {"client_type": client_type, "client_refs": Jsonb(client_refs)}
        row = self._connection.execute(_QUERIES["current_of"], parameters).fetchone()
        return read_artifact_if_any(row)

    def holding(self, content_hash: ContentHash, *, after: Held, limit: int) -> list[Artifact]:
        """Artifacts that hold a content and are not deleted, those of the oldest asset first."""
        parameters = {
            "content_hash": content_hash,
            "after_asset": after.asset_id,
            "after_artifact": after.artifact_id,
            "limit": limit,
        }
        rows = self._connection.execute(_QUERIES["holding"], parameters).fetchall()
        return read_artifacts(rows)

    def groups(
        self, *, after: str, client_type: str | None, across_clients: bool, limit: int
    ) -> GroupPage:
        """Contents that several assets hold, behind a hash; fewer than asked for may come."""
        parameters = {
            "after": after,
            "client_type": client_type,
            "across_clients": across_clients,
            "limit": limit,
        }
        rows = self._connection.execute(_QUERIES["groups"], parameters).fetchall()
        goes_on = bool(rows) and rows[-1]["goes_on"]
        return GroupPage(
            [DuplicateGroup.model_validate(row) for row in rows if row["is_wanted"]],
            rows[-1]["content_hash"] if goes_on else None,
        )
