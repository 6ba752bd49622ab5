"""What would become of an upload, asked without uploading."""

from pydantic import BaseModel, ConfigDict

from shared.models.artifacts import ArtifactRegistration


class RefusedUpload(BaseModel):
    """Why nothing could be registered."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    pointer: str
    """JSON pointer (RFC 6901) of what is at fault, as far as it is known."""
    detail: str


class RuleTrial(BaseModel):
    """Which rule an upload meets, and what would be registered of it.

    Without a rule, the blob itself is the asset. Either `registration` or `problem` is null. What
    only the store knows (hash, size, etag and the like) is not in the registration.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    rule: str | None
    values: dict[str, str | int]
    """What the path's placeholders stand for."""
    also_matching: list[str]
    """Rules that match as well, but come later."""
    registration: ArtifactRegistration | None
    problem: RefusedUpload | None
