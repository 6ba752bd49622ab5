"""What holds for every API key, and what the audit trail tells of one."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from shared.errors import InvalidInput, KeyEnded, ScopeMissing
from shared.models.api_keys import ApiKey, KeyState, Scope
from shared.models.ids import KeyId, new_id
from shared.models.text import storable

LATEST_EXPIRY = datetime(9000, 1, 1, tzinfo=UTC)
"""Within what Python and PostgreSQL both hold, even where a lifetime is added to it."""
_MAXIMUM_NAME = 100


def check_name(name: str) -> None:
    """Raise InvalidInput for a name that cannot be kept."""
    try:
        storable(name)
    except ValueError as error:
        raise InvalidInput(f"The key's name: {error}.", "/name") from None
    if not 1 <= len(name) <= _MAXIMUM_NAME:
        raise InvalidInput(f"The key's name has 1 to {_MAXIMUM_NAME} characters.", "/name")


def check_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    """The instant in UTC; raises InvalidInput for one at which no key can end."""
    if expires_at is None:
        return None
    if expires_at.tzinfo is None:
        raise InvalidInput("The expiry needs a time zone, for example Z.", "/expires_at")
    if expires_at <= now:
        raise InvalidInput("The expiry lies in the past.", "/expires_at")
    if expires_at > LATEST_EXPIRY:
        raise InvalidInput("The expiry lies after the year 8999; leave it out.", "/expires_at")
    return expires_at.astimezone(UTC)


def check_grant(scopes: Collection[Scope], grantable: Collection[Scope] | None) -> None:
    """Raise ScopeMissing for a scope that is not for this caller to give."""
    missing = [] if grantable is None else sorted(set(scopes) - set(grantable))
    if missing:
        told = ", ".join(f"'{scope}'" for scope in missing)
        raise ScopeMissing(f"Nobody gives a scope that they do not carry: {told}.")


def check_active(key: ApiKey, now: datetime) -> None:
    """Raise KeyEnded unless the key opens something still."""
    state = key.state_at(now)
    if state is not KeyState.ACTIVE:
        raise KeyEnded(f"The API key is {state}.")


def successor(old: ApiKey, now: datetime) -> ApiKey:
    """What takes a key's place: for as long as that one was meant to last when it was made."""
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    return ApiKey(
        key_id=KeyId(new_id()),
        name=old.name,
        scopes=old.scopes,
        created_at=now,
        expires_at=None if lifetime is None else min(now + lifetime, LATEST_EXPIRY),
        rotated_from=old.key_id,
    )


def told(key: ApiKey) -> dict[str, Any]:
    """A key as an audit event tells of it."""
    return key.model_dump(mode="json", include={"key_id", "name", "scopes", "expires_at"})


def told_change(old: ApiKey, new: ApiKey) -> dict[str, Any]:
    """What became of a key."""
    changing = {"expires_at", "replaced_by"}
    before, after = (key.model_dump(mode="json", include=changing) for key in (old, new))
    changed = {name for name in changing if before[name] != after[name]}
    return told(old) | {
        "before": {name: before[name] for name in sorted(changed)},
        "after": {name: after[name] for name in sorted(changed)},
    }
