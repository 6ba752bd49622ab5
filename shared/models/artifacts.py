"""An artifact as the registry holds it, and what a caller says when registering one."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shared.models.axes import Disposition, Processing, Stage, Status
from shared.models.client_refs import ClientRefs
from shared.models.content_hash import ContentHash, ContentHashField
from shared.models.ids import ArtifactId, AssetId, IdInput
from shared.models.text import Text, keepable, keepable_json

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
_SHORT = Field(min_length=1, max_length=64)
_LABEL = Field(min_length=1, max_length=100)
BUILD_CLIENT_TYPE = "build"
"""The client type of what builds leave; `client_refs` are `{"build_id": …, "name": …}`."""
LONGEST_NAME = 255
"""Characters of a name, a type, a tier and the like."""

_NAME = Field(min_length=1, max_length=LONGEST_NAME)

ShortText = Annotated[Text, _SHORT]
Name = Annotated[Text, _NAME]
Label = Annotated[Text, _LABEL]
_Short = Annotated[str, _SHORT]
_Label = Annotated[str, _LABEL]
_Name = Annotated[str, _NAME]
_Uri = Annotated[str, Field(min_length=1, max_length=16384)]
_USER = re.compile(
    r"^(?!(?:abfs|wasb)s?://[^/@:%]*@[^/@]*(?:/|$))([a-z][a-z0-9+.-]*://)[^/@]*@", re.IGNORECASE
)
"""Not the container, which stands in the user's place where the scheme is Hadoop's for Azure."""
_SECRET = re.compile(
    r"(?:^|[&_-])(?:sig|signature|token|key|secret|password|credential)=", re.IGNORECASE
)
_FIRST_YEAR, _LAST_YEAR = 1971, 9997

BigInteger = Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)]


def unsigned(uri: str) -> str:
    """A URI without user and password, and without a query that holds a secret such as a SAS."""
    address, _, query = uri.partition("?")
    return _USER.sub(r"\1", address) + (f"?{query}" if query and not _SECRET.search(query) else "")


def _representable(moment: datetime) -> datetime:
    """In UTC, within the years that Python and PostgreSQL both hold in every time zone."""
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"the year lies between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment.astimezone(UTC)


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)  # the database answers in the time zone of its session


Moment = Annotated[AwareDatetime, AfterValidator(_representable)]
"""A time in UTC."""

_Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Location(BaseModel):
    """Where the bytes are. `storage_account`, `container` and `blob_path` come together or not."""

    # Deferred: most of these classes are bases only, and validators cost a cold start.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    storage_backend: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    storage_account: Annotated[_Short, Field(pattern=_PRINTABLE)] | None = None
    container: Annotated[_Short, Field(pattern=_PRINTABLE)] | None = None
    blob_path: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    blob_version_id: _Short | None = None
    blob_etag: Annotated[str, Field(pattern=r'^[^"\x00]{1,128}$')] | None = None
    storage_region: _Short | None = None
    uri: _Uri | None = None
    storage_tier: Annotated[str, Field(min_length=1, max_length=32)] | None = None


class ArtifactContent(Location):
    """What an artifact is: facts that never change once it is registered.

    Only what costs next to nothing is checked here, for every read of an artifact checks it again;
    what a sender says is checked by `ArtifactRegistration`.
    """

    content_hash: ContentHash | None = None
    size_bytes: BigInteger | None = None
    row_count: BigInteger | None = None
    """Rows of a table; never added to bytes."""
    content_type: _Name | None = None
    artifact_type: _Label | None = None
    data: JsonValue = None
    """Small inline content."""
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    stac_collection_id: _Name | None = None
    stac_item_id: _Name | None = None
    source_job_id: _Name | None = None
    source_task_id: _Name | None = None
    run_id: UUID | None = None
    step_id: UUID | None = None
    producer: _Name | None = None
    producer_version: _Label | None = None
    is_resumable: StrictBool = False
    is_final: StrictBool = False
    expires_at: _Instant | None = None


class ArtifactRegistration(ArtifactContent):
    """The body of `POST /api/v1/artifacts` and of a message on the registrations queue."""

    client_type: Annotated[str, Field(min_length=1, max_length=50, pattern=_PRINTABLE)]
    client_refs: ClientRefs
    uri: Annotated[_Uri, AfterValidator(unsigned)] | None = None
    content_hash: ContentHashField | None = None
    data: Annotated[JsonValue, AfterValidator(keepable_json)] = None
    metadata: Annotated[dict[str, JsonValue], AfterValidator(keepable_json)] = Field(
        default_factory=dict[str, JsonValue]
    )
    run_id: IdInput | None = None
    step_id: IdInput | None = None
    expires_at: Moment | None = None
    overwrite: StrictBool = False
    """Supersede the asset's current artifact; without it, a current one is a conflict."""
    register_unchanged: StrictBool = False
    """Take a new revision even where the bytes equal those of the current artifact."""
    processing: Literal[Processing.PENDING, Processing.IN_PROGRESS, Processing.COMPLETED] = (
        Processing.COMPLETED
    )
    stage: Stage = Stage.INTERMEDIATE

    @field_validator("*")
    @classmethod
    def _keepable(cls, value: object) -> object:
        return keepable(value) if isinstance(value, str) else value

    @field_validator("client_refs")
    @classmethod
    def _are_no_builds(
        cls, refs: dict[str, JsonValue], info: ValidationInfo
    ) -> dict[str, JsonValue]:
        """What a build has is registered with its build, or the build would not know of it."""
        if info.data.get("client_type") == BUILD_CLIENT_TYPE and "build_id" in refs:
            raise ValueError("artifacts of builds are registered under /api/builds")
        return refs

    @model_validator(mode="after")
    def _location_is_whole(self) -> Self:
        parts = (self.storage_account, self.container, self.blob_path)
        if any(parts) and not all(parts):
            raise ValueError("storage_account, container and blob_path come together")
        return self


class ArtifactChanges(BaseModel):
    """What may be changed of a registered artifact: the body of `PATCH`.

    `metadata` is merged key by key; null is a value like any other. An `expires_at` of null takes
    the expiry away. What is absent stays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    metadata: Annotated[dict[str, JsonValue], AfterValidator(keepable_json)] = Field(
        default_factory=dict[str, JsonValue]
    )
    is_resumable: StrictBool | None = None
    is_final: StrictBool | None = None
    expires_at: Moment | None = None


class _Place(BaseModel):
    """Whose revision an artifact is and where it stands; a base, so that it is told first."""

    model_config = ConfigDict(defer_build=True)

    artifact_id: ArtifactId
    asset_id: AssetId
    client_type: str
    client_refs: dict[str, JsonValue]
    revision: int
    status: Status
    supersedes: ArtifactId | None
    superseded_by: ArtifactId | None
    processing: Processing
    stage: Stage
    disposition: Disposition


class Artifact(ArtifactContent, _Place):
    """One immutable revision of an asset, with its place in the chain and its state."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    verified_at: _Instant | None
    created_at: _Instant
    updated_at: _Instant
    archived_at: _Instant | None
    deleted_at: _Instant | None
    purged_at: _Instant | None
    missing_since: _Instant | None
    """When the store was first seen without the blob that the artifact points at; null: it is there
    as far as is known."""
    superseded_at: _Instant | None = None
    tier_since: _Instant | None = None
    """Since when the bytes lie in their tier; null: that is where they were registered."""
    rehydrating_to: str | None = None
    """The tier to which archived bytes are being brought back."""
    rehydrated_at: _Instant | None = None
    """When bringing them back was last asked for: from then they wait anew to be archived deeper,
    or deleted, by policies."""
    found_corrupt_at: _Instant | None = None
    """When the bytes were last read and were other ones than were registered; null: they are right,
    as far as is known."""
