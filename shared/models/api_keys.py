"""API keys: what each is for, and for how long."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer

from shared.models.ids import KeyId


class Scope(StrEnum):
    """What a credential is for. None includes another: it opens exactly what it lists."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class KeyState(StrEnum):
    """Whether a key opens anything; one that was revoked and has expired counts as revoked."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


def _in_order(scopes: frozenset[Scope]) -> list[Scope]:
    return sorted(scopes)  # a set's own order differs from process to process


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)  # the database answers in the time zone of its session


Instant = Annotated[datetime, AfterValidator(_in_utc)]
Scopes = Annotated[frozenset[Scope], PlainSerializer(_in_order)]


class ApiKey(BaseModel):
    """A key as the registry knows it: everything but the key's text."""

    model_config = ConfigDict(frozen=True)

    key_id: KeyId
    name: str
    scopes: Scopes
    created_at: Instant
    expires_at: Instant | None = None
    """The first instant at which it opens nothing; None for never."""
    revoked_at: Instant | None = None
    rotated_from: KeyId | None = None
    """The key that this one replaces."""
    replaced_by: KeyId | None = None

    def state_at(self, now: datetime) -> KeyState:
        """What it is at an instant."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        is_over = self.expires_at is not None and self.expires_at <= now
        return KeyState.EXPIRED if is_over else KeyState.ACTIVE


class KeyPage(BaseModel):
    """Part of a list of keys; `next` is the cursor of another part."""

    keys: list[ApiKey]
    next: str | None


class KeyMatch(NamedTuple):
    """What a look-up by hash found."""

    key_id: KeyId
    scopes: frozenset[Scope]
    key_hash: bytes


@dataclass(frozen=True)
class CreatedKey:
    """A new key and its text, which cannot be had a second time."""

    key: ApiKey
    text: str = field(repr=False)
    """Kept out of `repr`, so that no log line and no traceback tells it."""

    @property
    def key_id(self) -> KeyId:
        return self.key.key_id
