"""What somebody tried, where no transaction of the change itself tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from pydantic import JsonValue

from shared.models.registrations import Origin

ANONYMOUS = "anonymous"
"""Who asks without a credential that is good."""


class Doing(NamedTuple):
    """What somebody is about, in the words that the audit trail has for it once it is done."""

    operation: str
    action: str


@dataclass(frozen=True)
class Attempt:
    """A change that was refused or failed; or a read, which leaves nothing else behind."""

    doing: Doing
    origin: Origin
    error: str | None = None
    """A name and a sentence, `artifact-held: The artifact is held …`; None where it succeeded."""
    artifact_id: UUID | None = None
    run_id: UUID | None = None
    details: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
