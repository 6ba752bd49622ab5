"""Making API keys, and telling whose key was presented."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection
from datetime import datetime

from shared.database.pool import Database
from shared.errors import InvalidInput, KeyRejected
from shared.models.api_keys import ApiKey, CreatedKey, Scope
from shared.models.ids import KeyId, new_id
from shared.models.text import storable
from shared.repositories.api_keys import ApiKeyRepository

_PREFIX = "ark_"
"""Tells secret scanners and people what a leaked string is, and whom to ask to revoke it."""
_RANDOM_BYTES = 32
_FORM = re.compile(f"{_PREFIX}[A-Za-z0-9_-]{{43}}")
"""The prefix and 256 random bits in base64url (RFC 4648, section 5) without padding."""
_MAXIMUM_NAME = 100


class ApiKeyService:
    """Keeps of every key only HMAC-SHA256 under the pepper.

    A fast hash is enough: 256 random bits cannot be searched, unlike a password. The pepper makes
    the table alone worthless to whom it leaks, and a row written into it without the pepper opens
    nothing.
    """

    def __init__(self, database: Database, pepper: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._pepper = pepper.encode()
        self._clock = clock

    def create(
        self, name: str, scopes: Collection[Scope], expires_at: datetime | None = None
    ) -> CreatedKey:
        """Make a key. Its text is in the answer only; a key without scopes opens nothing.

        Raises InvalidInput for a name that is empty, longer than 100 characters or not storable,
        and for an expiry without a time zone or in the past.
        """
        now = self._clock()
        _check_name(name)
        _check_expiry(expires_at, now)
        text = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        key = ApiKey(KeyId(new_id()), name, frozenset(scopes), now, expires_at)
        with self._database.connection() as connection:
            ApiKeyRepository(connection).add(key, self._hash(text))
        return CreatedKey(key, text)

    def authenticate(self, text: str | None) -> ApiKey:
        """Whose key this is; None stands for no key at all.

        Raises KeyRejected, which says the same whether the key is missing, malformed, unknown,
        expired or revoked.
        """
        if text is None or not _FORM.fullmatch(text):
            raise KeyRejected
        with self._database.connection() as connection:
            key = ApiKeyRepository(connection).valid(self._hash(text), self._clock())
        if key is None:
            raise KeyRejected
        return key

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._pepper, text.encode(), hashlib.sha256)


def _check_name(name: str) -> None:
    try:
        storable(name)
    except ValueError as error:
        raise InvalidInput(f"The key's name: {error}.", "/name") from None
    if not 1 <= len(name) <= _MAXIMUM_NAME:
        raise InvalidInput(f"The key's name has 1 to {_MAXIMUM_NAME} characters.", "/name")


def _check_expiry(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is None:
        return
    if expires_at.tzinfo is None:
        raise InvalidInput("The expiry needs a time zone, for example Z.", "/expires_at")
    if expires_at <= now:
        raise InvalidInput("The expiry lies in the past.", "/expires_at")
