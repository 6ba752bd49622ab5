"""A command starts quickly: what only some commands need, only they import."""

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
