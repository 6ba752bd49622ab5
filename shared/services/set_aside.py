"""Messages that can never succeed are set aside at once, with the reason; none is dropped."""

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from shared.database.pool import Database
from shared.errors import RegistryError
from shared.repositories.set_aside import SetAsideRepository
from shared.services.redaction import redacted_body, redacted_text

_LOGGER = logging.getLogger(__name__)
_LONGEST_EXPLANATION = 4000
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class SetAsideService:
    """Keeps what could not be used, so that it can be listed and, once mended, replayed."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def set_aside(self, source: str, body: bytes, fault: RegistryError) -> None:
        """Keep a message with its fault. The same message from the same source is kept once.

        Signatures (SAS), keys and passwords in it are struck out: no secret enters the database.
        """
        reason = _CAPITAL.sub("_", type(fault).__name__).lower()
        with self._database.connection() as connection:
            SetAsideRepository(connection).add(
                _identity(source, body),
                source=source,
                body=redacted_body(body),
                reason=reason,
                explanation=_explanation(fault),
                at=self._clock(),
            )
        _LOGGER.warning("message set aside: source=%s reason=%s", source, reason)


def _explanation(fault: RegistryError) -> str:
    """What the fault says, fit to be stored whatever a hostile message put into it."""
    readable = fault.summary.replace("\0", "\\0").encode(errors="backslashreplace").decode()
    return redacted_text(readable)[:_LONGEST_EXPLANATION]


def _identity(source: str, body: bytes) -> UUID:
    """Of the message itself, so that a repeated delivery is the same row."""
    digest = hashlib.sha256(source.encode() + b"\n" + body).digest()
    return UUID(bytes=digest[:16])
