"""What reads of several artifacts answer with."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from shared.models.artifacts import Artifact
from shared.models.ids import ArtifactId

MAXIMUM_PAGE = 1000
"""Artifacts that one page holds at most."""


class Direction(StrEnum):
    """Which way to follow the chain that an artifact is part of."""

    BACKWARD = "backward"
    """What did this replace? Newest first."""
    FORWARD = "forward"
    """What replaced this? Oldest first."""
    BOTH = "both"
    """The whole chain, oldest first."""


class Match(StrEnum):
    """How client references found their asset."""

    EXACT = "exact"
    CONTAINMENT = "containment"
    NONE = "none"


class MatchedArtifact(Artifact):
    """The artifact that client references led to, and how."""

    match: Match
    matched_assets: int
    """More than 1 where partial references fit several assets."""


@dataclass(frozen=True)
class History:
    """Revisions of one asset, newest first. `next` continues it, None where it ends."""

    client_type: str
    client_refs: dict[str, JsonValue]
    """Of the asset that was found; as asked for where there is none."""
    match: Match
    matched_assets: int
    """More than 1 where partial references fit several assets; the oldest of them is told."""
    revision_count: int
    artifacts: list[Artifact]
    next: str | None


@dataclass(frozen=True)
class Chain:
    """A page of a supersession chain; `chain_length` counts the whole of it."""

    artifact_id: ArtifactId
    direction: Direction
    chain_length: int
    artifacts: list[Artifact]
    next: str | None


@dataclass(frozen=True)
class Page:
    """Artifacts of a list; `next` continues it, None where it ends.

    Even a page without artifacts may go on.
    """

    artifacts: list[Artifact]
    next: str | None
