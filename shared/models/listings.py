"""Which artifacts a list tells of, and in which order."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

from shared.models.artifacts import Label, Name, ShortText
from shared.models.axes import Processing, Stage, Status
from shared.models.client_refs import ClientRefs
from shared.models.content_hash import ContentHashField


class ArtifactFilter(BaseModel):
    """What an artifact must satisfy to be listed: everything that is not None."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    client_type: ShortText | None = None
    client_refs: ClientRefs | None = None
    """The asset's references contain these."""
    status: Status | None = None
    stage: Stage | None = None
    processing: Processing | None = None
    artifact_type: Label | None = None
    content_hash: ContentHashField | None = None
    storage_account: ShortText | None = None
    container: ShortText | None = None
    blob_path: str | None = None
    source_job_id: Name | None = None
    stac_collection_id: Name | None = None
    stac_item_id: Name | None = None
    metadata: dict[str, JsonValue] | None = None
    """The artifact's metadata contain these."""
    created_from: AwareDatetime | None = None
    """Inclusive."""
    created_before: AwareDatetime | None = None
    """Exclusive."""
    updated_from: AwareDatetime | None = None
    updated_before: AwareDatetime | None = None


class ArtifactSort(StrEnum):
    """Order of a list; `-` is newest first."""

    CREATED = "created_at"
    CREATED_DESCENDING = "-created_at"
    UPDATED = "updated_at"
    UPDATED_DESCENDING = "-updated_at"
