"""The code of the last release, as this repository's history has it."""

import os
import subprocess
import tarfile
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
RELEASE = "7fbce1dc72c66b6ef969b26902d985b1e7ec1d97"
"""The last commit whose migrations are fewer than today's: what runs while these are applied.

A release that brings migrations of its own moves it: to the last commit of the release before.
"""
MIGRATIONS = Path("shared/database/migrations")


def released_files(directory: Path, *paths: str) -> Path:
    """The release's files below some paths, all of them where none is given."""
    require_release()
    packed = _git("archive", RELEASE, *paths)
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(directory, filter="data")
    return directory


@cache
def require_release() -> None:
    """Skip where the history is not there; fail where it is, and lacks the commit."""
    if _has(RELEASE):
        return
    is_whole = (HERE / ".git").exists() and _git(
        "rev-parse", "--is-shallow-repository"
    ) == b"false\n"
    if is_whole and os.environ.get("CI"):
        pytest.fail(f"the history lacks the release {RELEASE}")
    pytest.skip(f"the history of this checkout does not reach back to the release {RELEASE}")


def _has(commit: str) -> bool:
    found = subprocess.run(
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"],
        cwd=HERE,
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, check=True).stdout
