"""Artifacts of builds: the source document's form of artifacts whose client type is `build`."""

from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from shared.models.artifacts import BigInteger, Label, Moment, ShortText
from shared.models.axes import Status
from shared.models.builds import LAST_STATE, PrintableName, StateCode, WrittenState
from shared.models.checksums import ChecksumAlgorithm, parse_checksum
from shared.models.text import Text, keepable_json

StorageBackend = Annotated[Text, Field(min_length=1, max_length=50)]
"""`s3`, `azure_blob`, `nfs` and whatever else there is."""
ArtifactPath = Annotated[Text, Field(min_length=1, max_length=16384)]
"""Full path or URI; credentials in it are not kept."""
_OF_STATES = frozenset(f"state-{code}" for code in range(LAST_STATE + 1))


def _is_free(name: str) -> str:
    if name in _OF_STATES:
        raise ValueError(f"{name} is the name of what is told with the state: take another")
    return name


_OwnName = Annotated[PrintableName, AfterValidator(_is_free)]
"""Not one under which a state's next attempt would supersede the artifact, unasked."""
_Metadata = Annotated[dict[str, JsonValue], AfterValidator(keepable_json)]


class BuildArtifactRequest(BaseModel):
    """The body of `POST /api/builds/{id}/artifacts`: the document's, and two members more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_code: StateCode
    artifact_name: _OwnName
    """Unique within the build."""
    artifact_type: Label
    artifact_path: ArtifactPath
    storage_backend: StorageBackend
    storage_region: ShortText | None = None
    storage_bucket: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    storage_key: Annotated[Text, Field(min_length=1, max_length=16384)] | None = None
    size_bytes: BigInteger | None = None
    checksum_algorithm: ChecksumAlgorithm | None = None
    """By default what the checksum's prefix says, else its length."""
    checksum: Annotated[Text, Field(max_length=255)] | None = None
    is_resumable: StrictBool = True
    is_final: StrictBool = False
    expires_at: Moment | None = None
    metadata: _Metadata = Field(default_factory=dict[str, JsonValue])
    overwrite: StrictBool = False
    """Where the name is in use: take its next revision, instead of refusing."""

    @field_validator("checksum")
    @classmethod
    def _is_checksum(cls, text: str | None, others: ValidationInfo) -> str | None:
        if text is not None and "checksum_algorithm" in others.data:  # else it is what is wrong
            parse_checksum(text, others.data["checksum_algorithm"])
        return text


class BuildArtifactChanges(BaseModel):
    """The body of `PATCH`. What is absent stays; content facts never change.

    `metadata` is merged key by key; an `expires_at` of null takes the expiry away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact_name: _OwnName | None = None
    is_resumable: StrictBool | None = None
    is_final: StrictBool | None = None
    expires_at: Moment | None = None
    metadata: _Metadata = Field(default_factory=dict[str, JsonValue])


class BuildArtifactFilter(BaseModel):
    """Which of a build's artifacts are asked for: those that satisfy every condition given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_code: WrittenState | None = None
    artifact_type: Label | None = None
    is_resumable: bool | None = None
    is_final: bool | None = None


class BuildArtifact(BaseModel):
    """An artifact as the document tells it; under the same id, the admin API tells all of it."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    build_id: UUID
    state_code: int
    artifact_name: str
    artifact_type: str | None
    artifact_path: str | None
    storage_backend: str | None
    storage_region: str | None
    storage_bucket: str | None
    storage_key: str | None
    size_bytes: int | None
    checksum: str | None
    """As its sender wrote it."""
    checksum_algorithm: ChecksumAlgorithm | None
    is_resumable: bool
    is_final: bool
    expires_at: Moment | None
    metadata: dict[str, JsonValue]
    created_at: Moment
    updated_at: Moment
    deleted_at: Moment | None
    revision: int
    status: Status
    content_hash: str | None
    """The checksum as the registry writes those of SHA-256."""
    verified_at: Moment | None
    found_corrupt_at: Moment | None
    """When the store was last found to hold other bytes."""
    missing_since: Moment | None
    """Since when the store is known not to have the bytes."""
    left_behind_at: Moment | None
    """When its attempt failed, or a resume went back behind its state: nothing to go on from."""


class BuildArtifactPage(BaseModel):
    """Part of a build's artifacts, by state and time; `next` is the cursor of another part."""

    artifacts: list[BuildArtifact]
    next: str | None
