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
from shared.models.ids import AssetId
from shared.repositories.records import read_artifact_if_any, read_artifacts

BEYOND_REVISIONS = 2**31 - 1
"""Above every revision."""

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class ChainPage:
    """Part of a chain in the order asked for, each artifact with its position in that order."""

    chain_length: int
    artifacts: list[Artifact]
    positions: list[int]


@dataclass(frozen=True)
class ContainingAssets:
    """What is known of the assets whose references contain others."""

    oldest: Asset | None
    oldest_with_current: AssetId | None
    """The oldest that has a current artifact."""
    count: int
    is_complete: bool
    """False where so many share the references that only the oldest of them were looked at."""


class AssetRepository:
    """Every statement about assets. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def exact(self, client_type: str, client_refs: Mapping[str, JsonValue]) -> Asset | None:
        """The asset of exactly these canonical references."""
        row = self._one("exact", _identity(client_type, client_refs))
        return _asset(row) if row else None

    def containing(
        self, client_type: str, client_refs: Mapping[str, JsonValue], limit: int
    ) -> ContainingAssets:
        """The assets whose references contain these, counted up to a limit."""
        row = self._one("containing", _identity(client_type, client_refs) | {"limit": limit})
        assert row is not None  # noqa: S101 - the function always answers with one row
        return ContainingAssets(
            _asset(row) if row["asset_id"] else None,
            row["oldest_with_current"],
            row["matched_assets"],
            row["is_complete"],
        )

    def current(self, asset_id: UUID) -> Artifact | None:
        """The current artifact of an asset."""
        return read_artifact_if_any(self._one("current", {"asset_id": asset_id}))

    def newest(self, asset_id: UUID) -> Artifact | None:
        """The newest revision of an asset, whatever its state."""
        return next(iter(self.history(asset_id, below=BEYOND_REVISIONS, limit=1)), None)

    def history(self, asset_id: UUID, *, below: int, limit: int) -> list[Artifact]:
        """Revisions below a number, newest first."""
        parameters = {"asset_id": asset_id, "below": below, "limit": limit}
        rows = self._connection.execute(_QUERIES["history"], parameters).fetchall()
        return read_artifacts(rows)

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
        positions = [row["position"] for row in rows]
        return ChainPage(rows[0]["chain_length"], read_artifacts(rows), positions)

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow | None:
        return self._connection.execute(_QUERIES[name], parameters).fetchone()


def _identity(client_type: str, client_refs: Mapping[str, JsonValue]) -> dict[str, Any]:
    return {"client_type": client_type, "client_refs": Jsonb(client_refs)}


def _asset(row: DictRow) -> Asset:
    return Asset(row["asset_id"], row["client_type"], row["client_refs"], row["last_revision"])
