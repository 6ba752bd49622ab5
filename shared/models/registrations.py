"""What came of a registration, and who asked for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import PlainSerializer, PlainValidator

from shared.errors import ArtifactConflict, InvalidInput, RegistryError
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

    def as_json(self) -> dict[str, str | None]:
        """What the database's functions take as `origin`."""
        return {"actor": self.actor, "request_id": self.request_id}


UNATTRIBUTED = Origin("unattributed")


def _item_error_to_json(error: RegistryError | None) -> dict[str, str] | None:
    if error is None:
        return None
    if isinstance(error, ArtifactConflict):
        return {"current_artifact_id": str(error.current_artifact_id)}
    return {"message": error.summary, "pointer": getattr(error, "pointer", "")}


def _item_error_from_json(told: RegistryError | dict[str, str] | None) -> RegistryError | None:
    if not isinstance(told, dict):
        return told
    if "current_artifact_id" in told:
        return ArtifactConflict(UUID(told["current_artifact_id"]))
    return InvalidInput(told["message"], told["pointer"])


ItemError = Annotated[
    RegistryError, PlainValidator(_item_error_from_json), PlainSerializer(_item_error_to_json)
]
"""An error that a list of answers may be stored with; it comes back as the same."""


@dataclass(frozen=True)
class BatchItem:
    """What came of one item of a batch: a registration, or the error that it alone met."""

    registration: Registration | None
    error: ItemError | None


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
