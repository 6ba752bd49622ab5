"""Registering what was there before: what is asked for, and how far it came."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from shared.models.listed_blobs import BlobScope


class Hashing(StrEnum):
    """When the bytes of what a backfill registers are hashed."""

    NOW = "now"
    LATER = "later"
    """By a queue that has time."""
    NEVER = "never"


class Tally(StrEnum):
    """What came of a blob of a list."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    """This state of it is registered."""
    STALE = "stale"
    """A newer state of it is registered, or was seen."""
    CONFLICT = "conflict"
    """Its asset has a current artifact, and its rule does not overwrite."""
    REFUSED = "refused"
    """No valid registration comes of it, or it cannot be read."""


Counts = Counter[Tally]


@dataclass(frozen=True)
class BackfillRequest:
    """Which blobs to register, and how."""

    scope: BlobScope
    hashing: Hashing = Hashing.LATER
    rate: float | None = None
    """Blobs a second, at most."""
    restart: bool = False
    """Begin anew where an earlier run was cut off."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a backfill goes on."""

    backfill_key: str
    marker: str | None
    started_observation: int
    counts: Counts
    """Of what is behind the marker; a page that a kill cut off is counted when it is done again."""


@dataclass(frozen=True)
class RefusedBlob:
    """A blob that was not registered."""

    path: str
    reason: str


@dataclass(frozen=True)
class BackfillProgress:
    """What was done so far."""

    counts: Counts
    part: float | None
    """Of the list, from 0 to 1, where that can be told."""


@dataclass(frozen=True)
class PreviewedBlob:
    """What a blob would be registered as."""

    path: str
    client_type: str
    client_refs: Mapping[str, JsonValue]


@dataclass
class RulePreview:
    """What a rule would make of the blobs that it knows."""

    rule: str | None
    """None for blobs that no rule knows: each of them is an asset of its own."""
    count: int = 0
    examples: list[PreviewedBlob] = field(default_factory=list[PreviewedBlob])


@dataclass
class BackfillPreview:
    """What a backfill would do; nothing of it is done."""

    rules: list[RulePreview]
    """Those that know most blobs first."""
    refused: int
