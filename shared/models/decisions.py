"""What a pipeline has to do about an output that may be there already."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.models.artifacts import Artifact


class Decision(StrEnum):
    """How much work an output is."""

    NO_CHANGE = "no_change"
    """The current artifact holds these bytes and says the same of them."""
    METADATA_ONLY = "metadata_only"
    """The bytes are the same; what is said of them differs."""
    FULL_REPROCESS = "full_reprocess"
    """There is no current artifact, or its bytes differ or are not known."""


class OverwriteDecision(BaseModel):
    """The decision and what led to it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    decision: Decision
    changed: list[str]
    """Names of what differs: `content_hash`, and keys of the metadata."""
    artifact: Artifact | None
    """The asset's current artifact."""
