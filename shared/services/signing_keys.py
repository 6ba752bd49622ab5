"""The issuer's signing keys, remembered for as long as that is safe."""

import json
import logging
from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWKSet, PyJWTError

from shared.errors import IssuerUnavailable

_LOGGER = logging.getLogger(__name__)
_GOOD_SECONDS = 3600.0
"""After that, a key that the issuer withdrew is believed no longer."""
_LOOK_AGAIN_SECONDS = 60.0
"""Between two looks at the issuer, whatever tokens come: bad ones in masses must not reach it."""
_RETRY_SECONDS = 5.0
"""Between two looks as long as no key is known, when every token has to wait anyway."""


class SigningKeys:
    """Finds keys by their id; safe to be asked by many threads at once.

    Keys may roll over at any time: an id that is not known leads to a look at the issuer. When
    that fails, the keys that are known stay good.
    """

    def __init__(
        self, read_document: Callable[[], bytes], seconds: Callable[[], float] = monotonic
    ) -> None:
        self._read_document = read_document
        self._seconds = seconds
        self._looking = Lock()
        self._keys: Mapping[str, PyJWK] = {}
        self._good_until = float("-inf")
        self._look_from = float("-inf")

    def find(self, key_id: str) -> PyJWK | None:
        """The key, None where the issuer has none of this id.

        Raises IssuerUnavailable while not one key could be had.
        """
        key = self._keys.get(key_id)
        if key is not None and self._seconds() < self._good_until:
            return key
        # Who has a key, if an old one, need not wait for another thread's look.
        if self._looking.acquire(blocking=key is None):
            try:
                self._look_when_due()
            finally:
                self._looking.release()
        return self._keys.get(key_id)

    def _look_when_due(self) -> None:
        if self._seconds() >= self._look_from:
            self._look()
        if not self._keys:
            raise IssuerUnavailable

    def _look(self) -> None:
        try:
            self._keys = _usable_keys(self._read_document())
            self._good_until = self._seconds() + _GOOD_SECONDS
        except IssuerUnavailable:
            _LOGGER.warning("signing keys not read: known=%d", len(self._keys), exc_info=True)
        pause = _LOOK_AGAIN_SECONDS if self._keys else _RETRY_SECONDS
        self._look_from = self._seconds() + pause


def _usable_keys(document: bytes) -> Mapping[str, PyJWK]:
    """The keys of a JWK Set (RFC 7517) that verify RS256; others are another protocol's."""
    try:
        parsed: Any = json.loads(document)
        published = PyJWKSet.from_dict(parsed).keys
    except (PyJWTError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise IssuerUnavailable from error
    usable = {key.key_id: key for key in published if key.key_id and _verifies(key)}
    if not usable:
        raise IssuerUnavailable
    return usable


def _verifies(key: PyJWK) -> bool:
    return (
        key.algorithm_name == "RS256"
        and key.public_key_use in {"sig", None}
        and isinstance(key.key, RSAPublicKey)
    )
