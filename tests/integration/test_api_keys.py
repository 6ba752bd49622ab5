"""API keys: made, at rest, presented."""

import hashlib
import hmac
import re
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import InvalidInput, KeyRejected, ScopeMissing
from shared.models.api_keys import KeyMatch, Scope
from shared.models.callers import Caller
from shared.models.ids import KeyId
from shared.repositories.api_keys import ApiKeyRepository
from shared.services.access import AccessService
from shared.services.api_keys import ApiKeyService
from tests.integration.clock import TickingClock

PEPPER = "pepper-of-at-least-thirty-two-bytes"


@pytest.fixture
def keys(database: Database, clock: TickingClock) -> ApiKeyService:
    return ApiKeyService(database, PEPPER, clock)


def test_a_new_key_authenticates_as_itself(keys: ApiKeyService) -> None:
    made = keys.create("ci", [Scope.READ, Scope.WRITE])
    keys.create("another", [Scope.ADMIN])
    found = keys.authenticate(made.text)
    assert found == Caller(f"key:{made.key_id}", frozenset({Scope.READ, Scope.WRITE}))


def test_a_key_is_a_prefix_and_256_bits_and_never_the_same(keys: ApiKeyService) -> None:
    texts = {keys.create("k", [Scope.READ]).text for _ in range(20)}
    assert len(texts) == 20
    assert all(re.fullmatch(r"ark_[A-Za-z0-9_-]{43}", text) for text in texts)


def test_only_the_keyed_hash_is_stored(
    keys: ApiKeyService, sql: psycopg.Connection[DictRow]
) -> None:
    made = keys.create("ci", [Scope.READ])
    row = sql.execute("SELECT * FROM registry.api_keys").fetchone()
    assert row is not None
    assert row["key_hash"] == hmac.digest(PEPPER.encode(), made.text.encode(), hashlib.sha256)
    assert made.text not in str(row)
    assert made.text not in repr(made)


def test_under_another_pepper_a_key_is_unknown(
    keys: ApiKeyService, database: Database, clock: TickingClock
) -> None:
    text = keys.create("ci", [Scope.READ]).text
    with pytest.raises(KeyRejected):
        ApiKeyService(database, "another" * 8, clock).authenticate(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "ark_",
        "ark_" + "A" * 43,
        "ark_" + "A" * 43 + "\n",
        "ark_" + "A" * 43 + "\ud800",
        "\x00",
        "\ud800",
        "é" * 47,
    ],
)
def test_what_is_no_key_is_rejected(keys: ApiKeyService, text: str | None) -> None:
    with pytest.raises(KeyRejected):
        keys.authenticate(text)


def test_a_revoked_key_is_rejected(keys: ApiKeyService, sql: psycopg.Connection[DictRow]) -> None:
    made = keys.create("ci", [Scope.READ])
    sql.execute("UPDATE registry.api_keys SET revoked_at = now()")
    with pytest.raises(KeyRejected):
        keys.authenticate(made.text)


def test_a_key_is_good_until_the_instant_it_expires(
    keys: ApiKeyService, clock: TickingClock
) -> None:
    made = keys.create("ci", [Scope.READ], clock.now + timedelta(seconds=3))
    assert keys.authenticate(made.text).actor == f"key:{made.key_id}"
    with pytest.raises(KeyRejected):
        keys.authenticate(made.text)


@pytest.mark.parametrize("held", [[], [Scope.READ], [Scope.ADMIN], list(Scope)])
def test_a_key_allows_exactly_the_scopes_that_it_lists(
    keys: ApiKeyService, held: list[Scope]
) -> None:
    caller = AccessService(keys).authenticate(keys.create("k", held).text, None)
    for scope in Scope:
        if scope in held:
            caller.require(scope)
        else:
            with pytest.raises(ScopeMissing):
                caller.require(scope)


@pytest.mark.parametrize("name", ["", "x" * 101, "a\x00b", "\ud800"])
def test_a_name_that_cannot_be_kept_is_refused(keys: ApiKeyService, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        keys.create(name, [Scope.READ])
    assert refused.value.pointer == "/name"


@pytest.mark.parametrize(
    "expires_at",
    [datetime(2030, 1, 1), datetime(2025, 12, 31, tzinfo=UTC)],  # noqa: DTZ001 - the fault tested
    ids=["without a time zone", "in the past"],
)
def test_an_expiry_that_makes_no_sense_is_refused(
    keys: ApiKeyService, expires_at: datetime
) -> None:
    with pytest.raises(InvalidInput) as refused:
        keys.create("ci", [Scope.READ], expires_at)
    assert refused.value.pointer == "/expires_at"


def test_a_row_of_another_hash_opens_nothing(
    keys: ApiKeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a database, or something before it, that takes any two hashes to be equal."""

    def confused(*_: object) -> KeyMatch:
        return KeyMatch(KeyId(uuid.uuid4()), frozenset(Scope), bytes(32))

    monkeypatch.setattr(ApiKeyRepository, "valid", confused)
    with pytest.raises(KeyRejected):
        keys.authenticate(keys.create("ci", [Scope.READ]).text)
