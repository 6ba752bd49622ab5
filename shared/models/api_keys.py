"""API keys: who may do what."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.models.ids import KeyId


class Scope(StrEnum):
    """What a credential is for. None includes another: it opens exactly what it lists."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True)
class ApiKey:
    """A key as the registry knows it: everything but the key's text."""

    key_id: KeyId
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class CreatedKey:
    """A new key and its text, which cannot be had a second time."""

    key: ApiKey
    text: str = field(repr=False)
    """Kept out of `repr`, so that no log line and no traceback tells it."""

    @property
    def key_id(self) -> KeyId:
        return self.key.key_id
