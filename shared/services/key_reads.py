"""Looking at API keys."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from shared.database.pool import Database
from shared.errors import InvalidInput, KeyNotFound
from shared.models.api_keys import ApiKey, KeyPage, KeyState
from shared.models.cursors import LAST_ID, read_cursor, write_cursor
from shared.repositories.api_keys import ApiKeyRepository

MAXIMUM_KEYS = 1000
"""Keys of one page at most."""

_FIRST_ID = UUID(int=0)
_NEVER = "infinity"
_ALWAYS = "-infinity"


class KeyReads:
    """Nothing here tells a key's text, which nobody has any more."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def get(self, key_id: UUID) -> ApiKey:
        """One key; raises KeyNotFound."""
        with self._database.connection() as connection:
            key = ApiKeyRepository(connection).get(key_id)
        if key is None:
            raise KeyNotFound
        return key

    def list_keys(
        self, state: KeyState | None = None, *, limit: int = 100, cursor: str | None = None
    ) -> KeyPage:
        """A page of the keys that are in this state now, or of all.

        Active and expired keys by expiry, soonest first; others newest first. Raises InvalidInput
        for a limit outside 1 to 1000, and for a cursor of another list.
        """
        if not 1 <= limit <= MAXIMUM_KEYS:
            raise InvalidInput(f"A page has 1 to {MAXIMUM_KEYS} keys.", "/limit")
        name = f"keys-{state or 'all'}"
        position = None if cursor is None else read_cursor(name, cursor)
        with self._database.connection() as connection:
            found = self._page(ApiKeyRepository(connection), state, position, limit + 1)
        if len(found) <= limit:
            return KeyPage(keys=found, next=None)
        keys = found[:limit]
        return KeyPage(keys=keys, next=write_cursor(name, _position_of(keys[-1], state)))

    def _page(
        self, keys: ApiKeyRepository, state: KeyState | None, position: str | None, limit: int
    ) -> list[ApiKey]:
        now = self._clock().isoformat()
        match state:
            case None:
                return keys.all_below(_read_id(position, LAST_ID), limit)
            case KeyState.REVOKED:
                return keys.revoked_below(_read_id(position, LAST_ID), limit)
            case KeyState.ACTIVE:
                after, key_id = _read_end(position, (now, LAST_ID))
                return keys.ending_between(after, key_id, _NEVER, limit)
            case KeyState.EXPIRED:
                after, key_id = _read_end(position, (_ALWAYS, _FIRST_ID))
                return keys.ending_between(after, key_id, now, limit)


def _position_of(key: ApiKey, state: KeyState | None) -> str:
    if state in {None, KeyState.REVOKED}:
        return str(key.key_id)
    return f"{key.expires_at.isoformat() if key.expires_at else _NEVER}/{key.key_id}"


def _read_id(text: str | None, start: UUID) -> UUID:
    if text is None:
        return start
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("The cursor does not belong to this list.", "/cursor") from None


def _read_end(text: str | None, start: tuple[str, UUID]) -> tuple[str, UUID]:
    if text is None:
        return start
    end, _, key_id = text.partition("/")
    return _read_instant(end), _read_id(key_id, start[1])


def _read_instant(text: str) -> str:
    if text == _NEVER:
        return text
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise InvalidInput("The cursor does not belong to this list.", "/cursor") from None
