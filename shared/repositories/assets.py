"""Assets in PostgreSQL: identity, history, chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from shared.database.queries import load_queries
from shared.models.artifacts import Artifact
from shared.models.assets import Asset
from shared.models.chains import Direction

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class ChainPage:
    """Part of a chain in the order asked for, each artifact with its position in that order."""

    chain_length: int
    artifacts: list[Artifact]
    positions: list[int]


class AssetRepository:
    """Every statement about assets. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def exact(self, client_type: str, client_refs: Mapping[str, JsonValue]) -> Asset | None:
        """The asset of exactly these canonical references."""
        assets = self._assets("exact", client_type, client_refs, {})
        return assets[0] if assets else None

    def containing(
        self, client_type: str, client_refs: Mapping[str, JsonValue], limit: int
    ) -> list[Asset]:
        """Assets whose references contain these, oldest first."""
        return self._assets("containing", client_type, client_refs, {"limit": limit})

    def history(self, asset_id: UUID, *, below: int, limit: int) -> list[Artifact]:
        """Revisions below a number, newest first."""
        parameters = {"asset_id": asset_id, "below": below, "limit": limit}
        rows = self._connection.execute(_QUERIES["history"], parameters).fetchall()
        return [Artifact.model_validate(row) for row in rows]

    def chain(
        self, artifact_id: UUID, direction: Direction, *, after: int, limit: int
    ) -> ChainPage:
        """Part of the chain through an artifact, behind a position; empty if there is none."""
        parameters = {
            "artifact_id": artifact_id,
            "direction": direction,
            "after": after,
            "limit": limit,
        }
        rows = self._connection.execute(_QUERIES["chain"], parameters).fetchall()
        if not rows:
            return ChainPage(0, [], [])
        artifacts = [Artifact.model_validate(row) for row in rows]
        return ChainPage(rows[0]["chain_length"], artifacts, [row["position"] for row in rows])

    def _assets(
        self,
        name: str,
        client_type: str,
        client_refs: Mapping[str, JsonValue],
        parameters: Mapping[str, Any],
    ) -> list[Asset]:
        identity = {"client_type": client_type, "client_refs": Jsonb(client_refs)}
        rows = self._connection.execute(_QUERIES[name], {**identity, **parameters}).fetchall()
        return [Asset(**row) for row in rows]
