"""API keys: made, by service and at the terminal; at rest; presented."""

import hashlib
import hmac
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.errors import InvalidInput, KeyRejected, ScopeMissing
from shared.models.api_keys import Scope
from shared.repositories import api_keys
from shared.services.access import AccessService
from shared.services.api_keys import ApiKeyService
from tests.integration.clock import TickingClock

PEPPER = "pepper-of-at-least-thirty-two-bytes"


@pytest.fixture
def keys(database: Database, clock: TickingClock) -> ApiKeyService:
    return ApiKeyService(database, PEPPER, clock)


def test_a_new_key_authenticates_as_itself(keys: ApiKeyService) -> None:
    made = keys.create("ci", [Scope.READ, Scope.WRITE])
    found = keys.authenticate(made.text)
    assert found == made.key
    assert (found.name, found.scopes) == ("ci", {Scope.READ, Scope.WRITE})


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
    assert keys.authenticate(made.text).key_id == made.key_id
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


def test_a_key_is_looked_up_by_index(keys: ApiKeyService, sql: psycopg.Connection[DictRow]) -> None:
    keys.create("ci", [Scope.READ])
    sql.execute("SET enable_seqscan = off")
    statement = b"EXPLAIN " + load_queries(api_keys.__file__)["valid"]
    plan = sql.execute(statement, {"key_hash": b"\0" * 32, "now": datetime.now(UTC)}).fetchall()
    assert "api_keys_hash" in str(plan)


REPOSITORY = Path(__file__).parents[2]


def registry(
    database_url: str, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does, with the settings of an app."""
    environment = {name: value for name, value in os.environ.items() if "REGISTRY_" not in name}
    environment |= {
        "REGISTRY_DATABASE_URL": database_url,
        "REGISTRY_STORAGE": "UseDevelopmentStorage=true",
        "REGISTRY_KEY_PEPPER": PEPPER,
    }
    return subprocess.run(  # noqa: PLW1510 - the exit code is what is looked at
        [sys.executable, "-m", "cli.registry", *arguments],
        cwd=REPOSITORY,
        env={name: value for name, value in (environment | settings).items() if value},
        capture_output=True,
        text=True,
        timeout=60,
    )


def create_command(
    database_url: str, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    return registry(database_url, "keys", "create", *arguments, **settings)


@pytest.fixture
def empty_database(postgres: str) -> Iterator[str]:
    """URL of a database that was never migrated."""
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_the_command_prints_the_key_alone_and_the_rest_aside(
    keys: ApiKeyService, database_url: str
) -> None:
    expiry = ["--expires-at", "2100-01-01T00:00:00Z"]
    made = create_command(database_url, "--name", "ci", "--scopes", "read,write", *expiry)
    assert made.returncode == 0, made.stderr
    key = keys.authenticate(made.stdout.removesuffix("\n"))
    assert (key.name, key.scopes) == ("ci", {Scope.READ, Scope.WRITE})
    assert key.expires_at == datetime(2100, 1, 1, tzinfo=UTC)
    assert str(key.key_id) in made.stderr
    assert made.stdout.strip() not in made.stderr


def test_a_fresh_database_is_migrated_once_and_then_holds_keys(empty_database: str) -> None:
    arguments = ["--name", "ci", "--scopes", "read"]
    early = create_command(empty_database, *arguments)
    assert (early.returncode, early.stderr.count("\n")) == (1, 1)
    assert "migrate" in early.stderr
    first, second = registry(empty_database, "migrate"), registry(empty_database, "migrate")
    assert (first.returncode, second.returncode) == (0, 0)
    assert (first.stdout, second.stdout) == ("", "")
    assert "applied 0001" in first.stderr
    assert "applied" not in second.stderr
    assert create_command(empty_database, *arguments).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--name", "ci"],
        ["--name", "ci", "--scopes", ""],
        ["--name", "ci", "--scopes", "read,everything"],
        ["--name", "ci", "--scopes", "read", "--expires-at", "soon"],
    ],
)
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    refused = create_command("postgresql://unused", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr


def test_a_missing_setting_is_named_in_one_line_with_exit_code_2() -> None:
    refused = create_command("", "--name", "ci", "--scopes", "read")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "error: settings missing or invalid: REGISTRY_DATABASE_URL\n"


@pytest.mark.parametrize(
    "arguments", [["migrate"], ["keys", "create", "--name", "x", "--scopes", "read"]]
)
def test_a_database_that_is_away_is_one_line_without_its_password(arguments: list[str]) -> None:
    away = "postgresql://someone:secret-word@127.0.0.1:1/none"
    failed = registry(away, *arguments, REGISTRY_DATABASE_TIMEOUT_SECONDS="1")
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (1, "", 1)
    assert failed.stderr.startswith("error: ")
    assert "secret-word" not in failed.stderr


@pytest.mark.parametrize("url", ["postgresql://u:secret-word@[::1/x", "postgresql://u@h:port/x"])
def test_what_is_no_url_is_said_in_one_line(url: str) -> None:
    refused = registry(url, "migrate")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "error: REGISTRY_DATABASE_URL is not a URL\n"


def test_a_name_that_cannot_be_kept_is_one_line_with_exit_code_1(database_url: str) -> None:
    refused = create_command(database_url, "--name", "", "--scopes", "read")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "error: The key's name has 1 to 100 characters.\n"
