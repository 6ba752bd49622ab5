"""Whether the bytes of artifacts are as they were registered."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.models.api_keys import Instant
from shared.models.artifacts import Artifact
from shared.models.ids import ArtifactId


class VerificationResult(StrEnum):
    """What came of comparing the bytes of an artifact with its record."""

    OK = "ok"
    MISMATCH = "mismatch"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    PENDING = "pending"
    """They are too many to be waited for: the artifact tells later."""


RESULTS = tuple(each for each in VerificationResult if each is not VerificationResult.PENDING)
"""Those that a look at the bytes ends with."""


class Verification(BaseModel):
    """What came of verifying an artifact, and the artifact after it.

    `missing`: the bytes are not there, or others were written over them and registered since.
    `unreadable`: they lie where nobody can read them, in the tier Archive or in a store that the
    registry does not serve.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    result: VerificationResult
    reason: str | None
    """Why they are not verified, where that is known."""
    artifact: Artifact


class Looks(BaseModel):
    """How many artifacts were looked at, each as often as it was, and the bytes of these."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    artifacts: int = 0
    size_bytes: int = 0


class Coverage(BaseModel):
    """How recently the bytes of all artifacts were compared with their hashes.

    Of artifacts that are live or archived and whose bytes lie in a storage account, but for the
    tier Archive, which nobody can read. What was never looked at counts from its registration.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    days: int
    is_covered: bool
    """Whether every one of them was looked at within so many days."""
    oldest_look_at: Instant | None
    """When the one that was looked at longest ago was; null where there is none at all."""
    results: dict[VerificationResult, Looks]
    """Of these days (UTC), today among them."""
    corrupt_count: int
    """Artifacts whose bytes were other ones when they were last read; of more than 10,000, that
    there are as many."""
    corrupt: list[ArtifactId]
    """The hundred of them that were found last."""
    waiting: int
    """Artifacts that are to be verified, likewise counted up to 10,000."""
    scrub_bytes_per_day: int
    """So many bytes a day are read unasked; 0 where none are."""


class ArtifactSample(BaseModel):
    """Artifacts that chance chose among those whose bytes lie in a storage account."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    artifact_ids: list[ArtifactId]
