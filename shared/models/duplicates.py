"""The same bytes, registered more than once."""

from pydantic import BaseModel, ConfigDict

from shared.models.content_hash import ContentHash


class DuplicateGroup(BaseModel):
    """All that is registered of one content."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    content_hash: ContentHash
    size_bytes: int | None
    """Of one copy."""
    artifact_count: int
    asset_count: int
    clients: dict[str, int]
    """Client type to the number of its artifacts that hold this content."""
    copies: int
    """Places where the bytes are now: a location that was overwritten since holds them no more."""
    duplicate_bytes: int
    """What the copies beyond the first one cost."""
    is_capped: bool
    """Whether there are more artifacts than were counted."""


class DuplicateGroups(BaseModel):
    """A page of groups; `next` continues it, None where it ends."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    groups: list[DuplicateGroup]
    next: str | None
