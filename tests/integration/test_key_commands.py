"""`registry keys` and `registry migrate`, as an operator runs them at deployment."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
import pytest

from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.services.api_keys import ApiKeyService
from tests.integration.clock import TickingClock

PEPPER = "pepper-of-at-least-thirty-two-bytes"


@pytest.fixture
def keys(database: Database, clock: TickingClock) -> ApiKeyService:
    return ApiKeyService(database, PEPPER, clock)


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
    caller = keys.authenticate(made.stdout.removesuffix("\n"))
    key = keys.get(UUID(caller.actor.removeprefix("key:")))
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
