"""Commands that work on the database itself, and come to nothing, are told as well."""

from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.api_keys import Scope
from shared.services.api_keys import ApiKeyService
from tests.integration.test_key_commands import keys, run_keys

__all__ = ["keys"]  # a fixture that is asked for by its name

Sql = psycopg.Connection[DictRow]


def told(sql: Sql) -> list[DictRow]:
    return sql.execute(
        "SELECT * FROM registry.outbox WHERE NOT success ORDER BY position"
    ).fetchall()


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        (("revoke", "--yes"), "key_revoked"),
        (("rotate",), "key_rotated"),
        (("expire", "--never"), "key_expiry_changed"),
    ],
)
def test_a_command_on_a_key_that_is_not_there_is_told_with_its_id(
    database_url: str, sql: Sql, command: tuple[str, ...], operation: str
) -> None:
    key_id = str(uuid4())
    name, *options = command
    assert run_keys(database_url, name, key_id, *options).exit_code == 3
    (event,) = told(sql)
    assert (event["operation"], event["actor"]) == (operation, f"cli:keys {name}")
    assert event["error"] == "key-not-found: There is no such API key."
    assert event["details"] == {"key_id": key_id}


def test_a_key_that_cannot_be_made_is_told_and_a_look_that_fails_is_not(
    database_url: str, keys: ApiKeyService, sql: Sql
) -> None:
    past = ("--expires-at", "2000-01-01T00:00:00Z")
    made = run_keys(database_url, "create", "--name", "x", "--scopes", "read", *past)
    assert made.exit_code == 1
    (event,) = told(sql)
    assert (event["operation"], event["actor"]) == ("key_created", "cli:keys create")
    assert event["error"].startswith("invalid-input: ")
    keys.create("ci", [Scope.READ])
    assert run_keys(database_url, "list").exit_code == 0
    assert len(told(sql)) == 1
