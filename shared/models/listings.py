"""Which artifacts a list tells of, and in which order."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from shared.models.artifacts import Label, Moment, Name, ShortText
from shared.models.axes import Processing, Stage, Status
from shared.models.client_refs import ClientRefs
from shared.models.content_hash import ContentHashField
from shared.models.text import Text, keepable_json


class ArtifactFilter(BaseModel):
    """What an artifact must satisfy to be listed: everything that is not None."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    client_type: ShortText | None = None
    client_refs: ClientRefs | None = None
    """The asset's references contain these; far faster together with `client_type`."""
    status: Status | None = None
    stage: Stage | None = None
    processing: Processing | None = None
    artifact_type: Label | None = None
    content_hash: ContentHashField | None = None
    storage_account: ShortText | None = None
    container: ShortText | None = None
    blob_path: Annotated[Text, Field(min_length=1, max_length=1024)] | None = None
    source_job_id: Name | None = None
    stac_collection_id: Name | None = None
    stac_item_id: Name | None = None
    metadata: Annotated[dict[str, JsonValue], AfterValidator(keepable_json)] | None = None
    """The artifact's metadata contain these."""
    created_from: Moment | None = None
    """Inclusive."""
    created_before: Moment | None = None
    """Exclusive."""
    updated_from: Moment | None = None
    updated_before: Moment | None = None

    @property
    def fingerprint(self) -> str:
        """Equal for equal filters, whatever the order of keys: what a cursor is bound to."""
        wanted = json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True)
        return hashlib.sha256(wanted.encode()).hexdigest()[:16]


class ArtifactSort(StrEnum):
    """Order of a list; `-` is newest first."""

    CREATED = "created_at"
    CREATED_DESCENDING = "-created_at"
    UPDATED = "updated_at"
    UPDATED_DESCENDING = "-updated_at"

    @property
    def is_by_update(self) -> bool:
        return self in {ArtifactSort.UPDATED, ArtifactSort.UPDATED_DESCENDING}

    @property
    def is_descending(self) -> bool:
        return self in {ArtifactSort.CREATED_DESCENDING, ArtifactSort.UPDATED_DESCENDING}


@dataclass(frozen=True)
class Position:
    """A place in the order of a list: just behind an artifact of this time and id."""

    at: datetime
    artifact_id: UUID
