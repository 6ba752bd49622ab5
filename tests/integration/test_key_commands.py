"""`registry keys` and `registry migrate`, as an operator runs them at deployment."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import yaml
from psycopg.rows import DictRow
from typer.testing import CliRunner, Result

from cli.registry import app
from shared import bootstrap
from shared.database.pool import Database
from shared.errors import KeyRejected
from shared.models.api_keys import Scope
from shared.services.api_keys import ApiKeyService
from tests.databases import own_database
from tests.integration.clock import TickingClock

PEPPER = "pepper-of-at-least-thirty-two-bytes"


@pytest.fixture
def keys(database: Database, clock: TickingClock) -> ApiKeyService:
    return ApiKeyService(database, PEPPER, clock)


REPOSITORY = Path(__file__).parents[2]


def settings_of(database_url: str, **others: str) -> dict[str, str]:
    """Of an app; what is empty is not set."""
    settings = {
        "REGISTRY_DATABASE_URL": database_url,
        "REGISTRY_STORAGE": "UseDevelopmentStorage=true",
        "REGISTRY_KEY_PEPPER": PEPPER,
        **others,
    }
    return {name: text for name, text in settings.items() if text}


def registry(
    database_url: str, *arguments: str, runner: CliRunner | None = None, **settings: str
) -> Result:
    """Run the command here, which is quicker, with nothing built that other commands built."""
    unset = dict.fromkeys(name for name in os.environ if "REGISTRY_" in name)
    with pytest.MonkeyPatch.context() as anew:
        for part in ("database_settings", "database", "keys"):
            build = inspect.unwrap(getattr(bootstrap, part))
            anew.setattr(bootstrap, part, bootstrap._once(build))  # pyright: ignore[reportPrivateUsage]
        environment = {**unset, **settings_of(database_url, **settings)}
        return (runner or CliRunner()).invoke(app, list(arguments), env=environment)


def registry_process(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    environment = {name: value for name, value in os.environ.items() if "REGISTRY_" not in name}
    return subprocess.run(  # noqa: PLW1510 - the exit code is what is looked at
        [sys.executable, "-m", "cli.registry", *arguments],
        cwd=REPOSITORY,
        env=environment | settings_of(database_url),
        capture_output=True,
        text=True,
        timeout=60,
    )


def create_command(database_url: str, *arguments: str) -> Result:
    return registry(database_url, "keys", "create", *arguments)


def check_misuse(*arguments: str) -> None:
    """Nothing is built for what is wrong already."""
    refused = CliRunner().invoke(app, ["keys", *arguments])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr


@pytest.fixture
def empty_database(postgres: str) -> Iterator[str]:
    """URL of a database that was never migrated."""
    with own_database(postgres) as url:
        yield url


def test_the_command_prints_the_key_alone_and_the_rest_aside(
    keys: ApiKeyService, database_url: str
) -> None:
    expiry = ["--expires-at", "2100-01-01T00:00:00Z"]
    arguments = ["--name", "ci", "--scopes", "read,write", *expiry]
    made = registry_process(database_url, "keys", "create", *arguments)
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
    assert (early.exit_code, early.stderr.count("\n")) == (1, 1)
    assert "migrate" in early.stderr
    first, second = registry(empty_database, "migrate"), registry(empty_database, "migrate")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (first.stdout, second.stdout) == ("", "")
    assert "applied 0001" in first.stderr
    assert "applied" not in second.stderr
    assert create_command(empty_database, *arguments).exit_code == 0


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
    check_misuse("create", *arguments)


def test_a_missing_setting_is_named_in_one_line_with_exit_code_2() -> None:
    refused = create_command("", "--name", "ci", "--scopes", "read")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "error: settings missing or invalid: REGISTRY_DATABASE_URL\n"


@pytest.mark.parametrize(
    "arguments", [["migrate"], ["keys", "create", "--name", "x", "--scopes", "read"]]
)
def test_a_database_that_is_away_is_one_line_without_its_password(arguments: list[str]) -> None:
    away = "postgresql://someone:secret-word@127.0.0.1:1/none"
    failed = registry(away, *arguments, REGISTRY_DATABASE_TIMEOUT_SECONDS="1")
    assert (failed.exit_code, failed.stdout, failed.stderr.count("\n")) == (6, "", 1)
    assert failed.stderr.startswith("error: ")
    assert "secret-word" not in failed.stderr


@pytest.mark.parametrize(
    "arguments", [["migrate"], ["keys", "create", "--name", "x", "--scopes", "read"]]
)
@pytest.mark.parametrize(
    "url",
    ["postgresql://u:secret-word@[::1/x", "postgresql://u@h:port/x", "postgresql://u:secret%zz@h"],
)
def test_what_is_no_url_is_said_in_one_line_and_not_shown(url: str, arguments: list[str]) -> None:
    refused = registry(url, *arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "error: settings missing or invalid: REGISTRY_DATABASE_URL\n"


def test_a_name_that_cannot_be_kept_is_one_line_with_exit_code_1(database_url: str) -> None:
    refused = create_command(database_url, "--name", "", "--scopes", "read")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "error: The key's name has 1 to 100 characters.\n"


def run_keys(database_url: str, *arguments: str) -> Result:
    return registry(database_url, "keys", *arguments)


@pytest.fixture
def system_keys(database: Database) -> ApiKeyService:
    """With the clock that the command has."""
    return ApiKeyService(database, PEPPER, lambda: datetime.now(UTC))


def test_keys_are_listed_whole_and_by_state(system_keys: ApiKeyService, database_url: str) -> None:
    hostile = "[red]x[/red]\x1b[31m\u202e"
    made = system_keys.create(hostile, [Scope.READ, Scope.WRITE])
    revoked = system_keys.create("old", [])
    system_keys.revoke(revoked.key_id)
    told = run_keys(database_url, "list")
    assert (told.exit_code, told.stderr) == (0, "")
    head, newest, oldest = told.stdout.splitlines()
    assert head.split() == ["key_id", "name", "scopes", "state", "created_at", "expires_at"]
    assert newest.split()[:4] == [str(revoked.key_id), "old", "[]", "revoked"]
    assert oldest.split()[:5] == [
        str(made.key_id),
        "[red]x[/red]\\u001b[31m\\u202e",
        '["read",',
        '"write"]',
        "active",
    ]
    told_of = made.key.model_dump(mode="json") | {"state": "active"}
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        active = run_keys(database_url, "list", "--state", "active", "-o", output)
        assert read(active.stdout) == [told_of]


def test_an_empty_list_is_one(database_url: str) -> None:
    assert json.loads(run_keys(database_url, "list", "-o", "json").stdout) == []


def test_a_key_is_rotated_and_the_new_text_alone_printed(
    system_keys: ApiKeyService, database_url: str, sql: psycopg.Connection[DictRow]
) -> None:
    old = system_keys.create("ci", [Scope.READ])
    done = run_keys(database_url, "rotate", str(old.key_id), "--overlap", "PT0S")
    assert done.exit_code == 0, done.stderr
    caller = system_keys.authenticate(done.stdout.removesuffix("\n"))
    assert caller.scopes == {Scope.READ}
    assert done.stdout.strip() not in done.stderr
    with pytest.raises(KeyRejected):
        system_keys.authenticate(old.text)
    actors = sql.execute("SELECT actor FROM registry.outbox ORDER BY position").fetchall()
    assert [row["actor"] for row in actors] == ["unattributed", "cli:keys rotate"]
    again = run_keys(database_url, "rotate", str(old.key_id))
    assert (again.exit_code, again.stdout, again.stderr.count("\n")) == (5, "", 1)


def test_by_default_a_rotated_key_goes_on_for_a_day(
    system_keys: ApiKeyService, database_url: str
) -> None:
    old = system_keys.create("ci", [Scope.READ])
    before = datetime.now(UTC)
    assert run_keys(database_url, "rotate", str(old.key_id)).exit_code == 0
    ends = system_keys.get(old.key_id).expires_at
    assert ends is not None
    assert before + timedelta(days=1) <= ends <= datetime.now(UTC) + timedelta(days=1)


def test_an_expiry_is_set_and_taken_away(system_keys: ApiKeyService, database_url: str) -> None:
    key_id = system_keys.create("ci", [Scope.READ]).key_id
    at = run_keys(database_url, "expire", str(key_id), "--at", "2100-01-01T00:00:00Z")
    assert (at.exit_code, at.stdout) == (0, "")
    assert system_keys.get(key_id).expires_at == datetime(2100, 1, 1, tzinfo=UTC)
    assert run_keys(database_url, "expire", str(key_id), "--never").exit_code == 0
    assert system_keys.get(key_id).expires_at is None


def test_revoking_has_to_be_meant(system_keys: ApiKeyService, database_url: str) -> None:
    made = system_keys.create("ci", [Scope.READ])
    unsaid = run_keys(database_url, "revoke", str(made.key_id))
    assert (unsaid.exit_code, unsaid.stdout) == (2, "")
    assert system_keys.authenticate(made.text)
    for _ in range(2):
        assert run_keys(database_url, "revoke", str(made.key_id), "--yes").exit_code == 0
    with pytest.raises(KeyRejected):
        system_keys.authenticate(made.text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["expire", str(UUID(int=7)), "--never"],
        ["revoke", str(UUID(int=7)), "--yes"],
        ["rotate", str(UUID(int=7))],
    ],
)
def test_an_unknown_key_is_exit_code_3(database_url: str, arguments: list[str]) -> None:
    failed = run_keys(database_url, *arguments)
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert failed.stderr == "error: There is no such API key.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["expire", str(UUID(int=7))],
        ["expire", str(UUID(int=7)), "--never", "--at", "2100-01-01T00:00:00Z"],
        ["expire", "no-id", "--never"],
        ["rotate", str(UUID(int=7)), "--overlap", "3600"],
        ["list", "--state", "tired"],
        ["list", "-o", "xml"],
    ],
)
def test_other_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    check_misuse(*arguments)
