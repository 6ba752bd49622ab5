"""How much is registered."""

from pydantic import BaseModel, ConfigDict

from shared.models.axes import Status


class StatusFigures(BaseModel):
    """Figures of the artifacts of one status."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    artifact_count: int = 0
    size_bytes: int = 0
    """Sizes as they were registered, each revision counted: not what is stored. Revisions may share
    a location, and of deleted ones the bytes may be gone."""
    row_count: int = 0
    """Rows of tables; never part of the bytes."""


class Statistics(StatusFigures):
    """Figures of one client or of all; every status is there, if need be with zeros."""

    asset_count: int
    statuses: dict[Status, StatusFigures]
