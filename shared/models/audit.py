"""Events of the audit trail: what was done, by whom, to what; numbered and chained by hash."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Self
from uuid import UUID

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.models.api_keys import Instant
from shared.models.audit_details import keepable_details

SHARDS = 4
"""Chains that the trail consists of, and partitions of each of its days: a partition of Azure's
tables takes about 2,000 entities a second."""

NO_HASH = bytes(32)
"""What the first event of a shard names as the one before it."""

_ACTIONS = {
    "artifact_creation": "create",
    "artifact_renamed": "rename",
    "artifact_taken_up": "take_up",
    "artifact_read": "read",
    "status_update": "update",
    "metadata_update": "update",
    "content_hashed": "hash",
    "location_refreshed": "refresh",
    "location_moved": "move",
    "location_missing": "miss",
    "location_found": "find",
    "tier_changed": "tier",
    "verified": "verify",
    "verification_failed": "verify",
    "rehydrate_requested": "rehydrate",
    "rehydrated": "rehydrate",
    "rehydration_failed": "rehydrate",
    "policy_run": "run",
    "policy_dry_run": "preview",
}
_ENDINGS = {
    "created": "create",
    "changed": "change",
    "removed": "remove",
    "revoked": "revoke",
    "rotated": "rotate",
    "placed": "place",
    "released": "release",
    "resumed": "resume",
    "failed": "fail",
    "set": "set",
    "replayed": "replay",
    "asked": "ask",
    "discarded": "discard",
}
_REACHED = {
    "live": "restore",
    "archived": "archive",
    "deleted": "delete",
    "purged": "purge",
    "pending": "queue",
    "in_progress": "start",
    "completed": "complete",
    "failed": "fail",
}


class TrailBacklog(BaseModel):
    """How far the trail is behind what happened."""

    model_config = ConfigDict(frozen=True)

    waiting_events: int
    """Events that nobody finds in the trail yet; of more than 10,000, that there are as many."""
    behind_seconds: float
    """How long the oldest of them has been waiting; 0 where there is none."""


class WrittenEvent(NamedTuple):
    """What the outbox tells of an event, before it has a number."""

    commit_number: int
    position: int
    event_id: UUID
    occurred_at: datetime
    operation: str
    action: str | None
    actor: str
    request_id: str | None
    asset_id: UUID | None
    artifact_id: UUID | None
    run_id: UUID | None
    success: bool
    error: str | None
    details: str
    """A JSON object."""


class AuditEvent(BaseModel):
    """Who did what to which artifact, and what came of it. Never changes."""

    model_config = ConfigDict(frozen=True)

    number: int
    """Place in the trail, from 1 and without gaps: the order in which the database committed."""
    event_id: UUID
    time: Instant
    """When it happened, as whoever did it tells."""
    recorded_at: Instant
    """When it took its place in the trail; never before that of the event before it."""
    operation: str
    action: str
    artifact_id: UUID | None
    asset_id: UUID | None
    run_id: UUID | None
    actor: str
    """`key:<id>`, `token:<subject>`, `function:<name>` or `cli:<command>`."""
    request_id: str | None
    """The request's or the invocation's, as the host's logs have it."""
    success: bool
    error: str | None
    details: dict[str, JsonValue] = Field(repr=False)
    """What changed: `before` and `after` where there are both."""
    shard: int
    previous: str
    """Hash of the event before this one in the shard; zeros for its first."""

    @classmethod
    def of(
        cls, written: WrittenEvent, *, number: int, recorded_at: datetime, previous: bytes
    ) -> Self:
        """The event at its place in the trail."""
        details = keepable_details(written.details)
        return cls(
            number=number,
            event_id=written.event_id,
            time=written.occurred_at,
            recorded_at=recorded_at,
            operation=written.operation,
            action=written.action or action_of(written.operation, details),
            artifact_id=written.artifact_id,
            asset_id=written.asset_id,
            run_id=written.run_id,
            actor=written.actor,
            request_id=written.request_id,
            success=written.success,
            error=written.error,
            details=details,
            shard=shard_of(written),
            previous=previous.hex(),
        )

    @property
    def canonical(self) -> bytes:
        """The event as RFC 8785 writes it: the same bytes, whoever writes them."""
        told = self.model_dump(mode="json") | {
            "time": rfc3339(self.time),
            "recorded_at": rfc3339(self.recorded_at),
        }
        return rfc8785.dumps(told)


@dataclass(frozen=True)
class KeptEvent:
    """A numbered event in the very form that its hash is of, whichever code wrote it."""

    canonical: str
    event: AuditEvent

    @classmethod
    def read(cls, canonical: str) -> Self:
        """Raises ValueError where this is no event."""
        return cls(canonical, AuditEvent.model_validate_json(canonical))


def event_hash(canonical: bytes) -> bytes:
    """SHA-256 of an event's canonical form, 32 bytes: what the next one of its shard names."""
    return hashlib.sha256(canonical).digest()


def rfc3339(instant: datetime) -> str:
    """An instant in UTC with six decimals, so that texts are in the order of time."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def shard_of(event: WrittenEvent) -> int:
    """The chain that an event belongs to: one artifact's events are all in one."""
    subject = str(event.artifact_id or event.run_id or event.operation)
    return hashlib.sha256(subject.encode()).digest()[0] % SHARDS


def action_of(operation: str, details: dict[str, JsonValue]) -> str:
    """One word for what was done, where whoever did it gave none."""
    after = details.get("after")
    if operation == "artifact_creation" and details.get("supersedes"):
        return "supersede"
    if operation == "status_update" and isinstance(after, dict):
        return _REACHED.get(str(after.get("disposition") or after.get("processing")), "update")
    return _ACTIONS.get(operation) or _ENDINGS.get(operation.rpartition("_")[2], "change")
