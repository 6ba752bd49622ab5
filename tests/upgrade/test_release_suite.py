"""The release's own tests, on a database that has today's migrations."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.upgrade.releases import HERE, MIGRATIONS, released_files

FEW = ["tests/integration/test_registration.py", "tests/integration/test_overwrite_decision.py"]
"""What needs no storage account, and is quick."""
TOOLS = "devhost/node/node_modules"
ALL = [
    "tests/integration",
    # About migrations themselves, and about plans of statements on tables as they were.
    "--deselect=tests/integration/test_migrations.py",
    "--deselect=tests/integration/test_query_plans.py",
]


@pytest.mark.parametrize(
    "tests",
    [
        pytest.param(FEW, id="few"),
        pytest.param(ALL, id="all", marks=[pytest.mark.long, pytest.mark.timeout(7200)]),
    ],
)
def test_the_releases_own_tests_pass_on_todays_schema(
    tests: list[str], tmp_path: Path, postgres: str
) -> None:
    tree = released_files(tmp_path)
    shutil.rmtree(tree / MIGRATIONS)
    shutil.copytree(HERE / MIGRATIONS, tree / MIGRATIONS)
    (tree / TOOLS).symlink_to(HERE / TOOLS)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            "-m",
            "not long",
            *tests,
        ],
        cwd=tree,
        env={**os.environ, "REGISTRY_DATABASE_URL": postgres},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    assert " passed" in done.stdout
