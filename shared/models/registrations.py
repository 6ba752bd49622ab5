"""What came of a registration, and who asked for it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.models.artifacts import Artifact


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
