"""A command starts quickly: what only some commands need, only they import."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
HEAVY = {"azure", "httpx", "psycopg", "psycopg_pool", "yaml", "yoyo"}


@pytest.mark.parametrize("command", ["cli.registry", "cli.bldst"])
def test_who_asks_for_help_does_not_wait_for_what_is_not_used(command: str) -> None:
    asked = [sys.executable, "-X", "importtime", "-m", command, "--help"]
    told = subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, check=True).stderr
    modules = [line.rpartition("|")[2].strip() for line in told.split("\n")]
    imported = {module.partition(".")[0] for module in modules}
    assert "typer" in imported
    assert imported & HEAVY == set()


@pytest.mark.parametrize(
    ("closing", "code", "told"),
    [
        pytest.param("", 0, "", marks=pytest.mark.long),
        (">&-", 1, "error: stdout: Bad file descriptor\n"),
        (">/dev/full", 1, "error: stdout: No space left on device\n"),
        pytest.param("2>&-", 0, "", marks=pytest.mark.long),
        pytest.param("<&-", 0, "", marks=pytest.mark.long),
        ("<&- >&- 2>&-", 1, ""),
        pytest.param(">/dev/full 2>/dev/full", 1, "", marks=pytest.mark.long),
    ],
)
def test_what_cannot_be_written_is_one_line(closing: str, code: int, told: str) -> None:
    line = f"exec {shlex.quote(sys.executable)} -m cli.bldst --help {closing}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, told)


def test_a_reader_who_left_is_not_told_off() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "cli.bldst", "--help"],
        cwd=REPOSITORY,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
