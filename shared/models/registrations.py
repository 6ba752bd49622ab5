"""What came of a registration, and who asked for it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import RegistryError
from shared.models.artifacts import Artifact
from shared.models.axes import Status


class Outcome(StrEnum):
    """How a registration ended; `conflict` becomes an error before any caller sees it."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    """The current artifact already holds these bytes."""
    STALE = "stale"
    """The blob was overwritten since these bytes were read, and the newer ones are registered."""
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Registration:
    """The outcome, and the artifact that it is about: the new one, or the one that stood."""

    outcome: Outcome
    artifact: Artifact


@dataclass(frozen=True)
class Origin:
    """Who asks: written into the audit trail beside every change."""

    actor: str
    """`key:<id>`, `function:<name>` or `cli:<command>`."""
    request_id: str | None = None


@dataclass(frozen=True)
class BatchItem:
    """What came of one item of a batch: a registration, or the error that it alone met."""

    registration: Registration | None
    error: RegistryError | None


@dataclass(frozen=True)
class Move:
    """An artifact after its state moved on, or stayed where it was asked to go already."""

    previous: Status
    artifact: Artifact


@dataclass(frozen=True)
class IdempotencyKey:
    """Tells a repeated request from a new one."""

    caller: str
    """Whose key it is: keys of two callers never meet."""
    key: str
    fingerprint: bytes
    """SHA-256 of what was asked, 32 bytes."""
