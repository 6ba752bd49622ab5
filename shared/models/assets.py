"""An asset: the stable thing whose revisions are artifacts."""

from dataclasses import dataclass

from pydantic import JsonValue

from shared.models.ids import AssetId


@dataclass(frozen=True)
class Asset:
    """An asset's identity, and the number of revisions that it ever took."""

    asset_id: AssetId
    client_type: str
    client_refs: dict[str, JsonValue]
    last_revision: int
