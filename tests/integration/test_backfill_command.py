"""`registry backfill`, as an operator runs it."""

import json
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from tests.integration.backfilling import Command, command, row, stored_by_path, write_csv
from tests.integration.uploads import Uploads

__all__ = ["command"]  # a fixture that is asked for by its name


def test_the_command_registers_a_container_and_says_what_came_of_it(
    command: Command,
    uploads: Uploads,
    tmp_path: Path,
    sql: psycopg.Connection[DictRow],
) -> None:
    container = uploads.container.container_name
    uploads.put("a", b"x")
    uploads.put("bad", b"x", metadata={"registry_nonsense": "1"})
    failures = tmp_path / "failures.jsonl"
    told = command("backfill", container, "--failures", str(failures), "-o", "json")
    assert told.exit_code == 1
    assert json.loads(told.stdout) == {
        "created": 1,
        "unchanged": 0,
        "stale": 0,
        "conflict": 0,
        "refused": 1,
    }
    assert told.stderr == "error: 1 blobs cannot be registered as they are\n"
    assert json.loads(failures.read_text())["path"] == "bad"
    assert stored_by_path(sql).keys() == {"a"}
    actors = sql.execute("SELECT DISTINCT actor FROM registry.outbox").fetchall()
    assert actors == [{"actor": "cli:backfill"}]


def test_a_dry_run_registers_nothing(
    command: Command, uploads: Uploads, sql: psycopg.Connection[DictRow]
) -> None:
    uploads.put("a", b"x")
    told = command("backfill", uploads.container.container_name, "--dry-run", "-o", "json")
    assert told.exit_code == 0, told.stderr
    [seen] = json.loads(told.stdout)
    assert (seen["rule"], seen["count"]) == (None, 1)
    assert seen["examples"][0]["path"] == "a"
    assert not stored_by_path(sql)


def test_an_inventory_is_registered_without_a_look_at_the_store(
    command: Command, azurite: Azurite, tmp_path: Path, sql: psycopg.Connection[DictRow]
) -> None:
    inventory = write_csv(tmp_path / "i.csv", [row("elsewhere", "a"), row("here", "b")])
    told = command("backfill", "here", "--inventory", str(inventory), "--hash", "never")
    assert told.exit_code == 0, told.stderr
    assert told.stdout.split() == [
        "created",
        "1",
        *["unchanged", "0", "stale", "0", "conflict", "0", "refused", "0"],
    ]
    assert stored_by_path(sql).keys() == {"b"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["no such name!"], 1, "A container name has"),
        (["missing-container"], 3, "There is no container"),
        (
            ["missing-container", "--account", "elsewhere"],
            1,
            "is not one that this registry serves",
        ),
        (["missing-container", "--inventory", "/nowhere"], 1, "cannot be read"),
        (["missing-container", "--failures", "/nowhere/x"], 2, "cannot be written"),
        (["missing-container", "--rate", "0"], 2, "--rate"),
        (["missing-container", "--hash", "perhaps"], 2, "--hash"),
    ],
)
def test_what_cannot_be_done_is_said(
    command: Command, arguments: list[str], code: int, words: str
) -> None:
    told = command("backfill", *arguments)
    assert (told.exit_code, told.stdout) == (code, "")
    assert words in told.stderr
    assert "Traceback" not in told.stderr
