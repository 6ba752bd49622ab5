"""API keys: making and ending them, and telling whose key was presented."""

import hashlib
import hmac
import re
import secrets
from asyncio import to_thread
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from shared.database.pool import Database
from shared.errors import InvalidInput, KeyEnded, KeyNotFound, KeyRejected
from shared.models.api_keys import ApiKey, CreatedKey, KeyMatch, Scope
from shared.models.artifacts import Artifact
from shared.models.callers import Caller
from shared.models.ids import KeyId, new_id
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.repositories.api_keys import ApiKeyRepository, valid_with_artifacts
from shared.repositories.records import read_artifacts
from shared.services.key_reads import KeyReads
from shared.services.key_rules import (
    LATEST_EXPIRY,
    check_active,
    check_expiry,
    check_grant,
    check_name,
    successor,
    told,
    told_change,
)
from shared.services.transitions import require_state

DEFAULT_OVERLAP = timedelta(hours=24)
MAXIMUM_OVERLAP = timedelta(days=90)

_LONG_CHARACTERS = 100_000
"""What takes more than a millisecond or two to read holds no event loop up."""

_PREFIX = "ark_"
"""Tells secret scanners and people what a leaked string is, and whom to ask to revoke it."""
_RANDOM_BYTES = 32
_FORM = re.compile(f"{_PREFIX}[A-Za-z0-9_-]{{43}}")
"""The prefix and 256 random bits in base64url (RFC 4648, section 5) without padding."""


class ApiKeyService(KeyReads):
    """Keeps of every key only HMAC-SHA256 under the pepper.

    A fast hash is enough: 256 random bits cannot be searched, unlike a password. The pepper makes
    the table alone worthless to whom it leaks, and a row written into it without the pepper opens
    nothing.

    When a key was last used is not kept: it would cost every request a write.

    `grantable` holds the scopes of who asks: nobody comes by a key that allows more than they may
    themselves. None stands for an operator at the database, who may do anything already.
    `if_match` holds entity tags of the states in which the change is wanted. Both are looked at
    under the key's lock. Every change raises KeyNotFound, and writes one audit event.
    """

    def __init__(self, database: Database, pepper: str, clock: Callable[[], datetime]) -> None:
        super().__init__(database, clock)
        self._pepper = pepper.encode()

    def create(
        self,
        name: str,
        scopes: Collection[Scope],
        expires_at: datetime | None = None,
        origin: Origin = UNATTRIBUTED,
        *,
        grantable: Collection[Scope] | None = None,
    ) -> CreatedKey:
        """Make a key. Its text is in the answer only; a key without scopes opens nothing.

        Raises InvalidInput for a name that is empty, longer than 100 characters or not storable,
        and for an expiry without a time zone or in the past; ScopeMissing for a scope that is not
        grantable.
        """
        now = self._clock()
        check_name(name)
        check_grant(scopes, grantable)
        key = ApiKey(
            key_id=KeyId(new_id()),
            name=name,
            scopes=frozenset(scopes),
            created_at=now,
            expires_at=check_expiry(expires_at, now),
        )
        with self._database.connection() as connection, connection.transaction():
            keys = ApiKeyRepository(connection)
            made = self._add(keys, key)
            keys.record_event("key_created", origin, now, told(key))
        return made

    def authenticate(self, text: str | None) -> Caller:
        """Whose key this is; None stands for no key at all.

        Raises KeyRejected, which says the same whether the key is missing, malformed, unknown,
        expired or revoked.
        """
        key_hash = self._presented_hash(text)
        with self._database.connection() as connection:
            return _caller(ApiKeyRepository(connection).valid(key_hash, self._clock()), key_hash)

    async def authenticate_with_artifacts(
        self, text: str | None, artifact_ids: Collection[UUID]
    ) -> tuple[Caller, dict[UUID, Artifact]]:
        """The same, and those of these artifacts that exist, which the caller may not be allowed.

        One round trip, and no thread: letting in takes as long as the most frequent question.
        """
        key_hash = self._presented_hash(text)
        key, rows = await valid_with_artifacts(
            self._database.on_loop, key_hash, self._clock(), artifact_ids
        )
        caller = _caller(key, key_hash)
        is_long = sum(len(row["artifact"]) for row in rows) > _LONG_CHARACTERS
        read = await to_thread(read_artifacts, rows) if is_long else read_artifacts(rows)
        return caller, {each.artifact_id: each for each in read}

    def change_expiry(
        self,
        key_id: UUID,
        expires_at: datetime | None,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Collection[str] | None = None,
    ) -> ApiKey:
        """Let a key end at another instant, None for never.

        Raises KeyEnded for a key that is revoked or has expired: what is over stays over.
        """
        now = self._clock()
        expires_at = check_expiry(expires_at, now)
        with self._held(key_id, if_match) as (keys, key):
            check_active(key, now)
            if key.expires_at == expires_at:
                return key
            keys.change_expiry(key_id, expires_at)
            changed = key.model_copy(update={"expires_at": expires_at})
            keys.record_event("key_expiry_changed", origin, now, told_change(key, changed))
        return changed

    def revoke(
        self,
        key_id: UUID,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Collection[str] | None = None,
    ) -> ApiKey:
        """End a key at once and for good. Idempotent: `revoked_at` is that of the first time."""
        now = self._clock()
        with self._held(key_id, if_match) as (keys, key):
            if key.revoked_at is not None:
                return key
            keys.revoke(key_id, now)
            keys.record_event("key_revoked", origin, now, told(key))
        return key.model_copy(update={"revoked_at": now})

    def rotate(
        self,
        key_id: UUID,
        overlap: timedelta = DEFAULT_OVERLAP,
        origin: Origin = UNATTRIBUTED,
        *,
        grantable: Collection[Scope] | None = None,
        if_match: Collection[str] | None = None,
    ) -> CreatedKey:
        """Make a key of the same name, scopes and lifetime in place of this one.

        This one goes on through the overlap, but never for longer than it would have. Raises
        KeyEnded for a key that is not active or was replaced already, InvalidInput for an overlap
        that is negative or longer than 90 days, ScopeMissing as `create` does.
        """
        if not timedelta(0) <= overlap <= MAXIMUM_OVERLAP:
            raise InvalidInput("An overlap lasts from nothing to 90 days.", "/overlap")
        now = self._clock()
        with self._held(key_id, if_match) as (keys, old):
            check_grant(old.scopes, grantable)
            check_active(old, now)
            if old.replaced_by is not None:
                raise KeyEnded("The API key was replaced already.")
            made = self._add(keys, successor(old, now))
            ending = old.model_copy(
                update={
                    "expires_at": min(now + overlap, old.expires_at or LATEST_EXPIRY),
                    "replaced_by": made.key_id,
                }
            )
            keys.change_expiry(key_id, ending.expires_at)
            keys.record_event("key_rotated", origin, now, told_change(old, ending))
        return made

    def _add(self, keys: ApiKeyRepository, key: ApiKey) -> CreatedKey:
        text = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        keys.add(key, self._hash(text))
        return CreatedKey(key, text)

    @contextmanager
    def _held(
        self, key_id: UUID, if_match: Collection[str] | None
    ) -> Generator[tuple[ApiKeyRepository, ApiKey]]:
        """A key under its lock, in the state asked for, if one is."""
        with self._database.connection() as connection, connection.transaction():
            keys = ApiKeyRepository(connection)
            key = keys.hold(key_id)
            if key is None:
                raise KeyNotFound
            require_state(key, if_match)
            yield keys, key

    def _presented_hash(self, text: str | None) -> bytes:
        if text is None or not _FORM.fullmatch(text):
            raise KeyRejected
        return self._hash(text)

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._pepper, text.encode(), hashlib.sha256)


def _caller(key: KeyMatch | None, key_hash: bytes) -> Caller:
    # The index compares in a time that tells of the hash, which without the pepper tells
    # nothing of the key. Compared once more: the row counts for this hash and for no other,
    # whatever the database, or whatever stands between, takes to be equal.
    if key is None or not hmac.compare_digest(key.key_hash, key_hash):
        raise KeyRejected
    return Caller(f"key:{key.key_id}", key.scopes)
