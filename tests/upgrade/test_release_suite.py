"""The release's own tests, on a database that has today's migrations."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.upgrade.releases import HERE, MIGRATIONS, released_files

FOLDER = "tests/integration"
TOOLS = "devhost/node/node_modules"
LEFT_OUT = [
    # About migrations themselves, and about plans of statements on tables as they were.
    "test_migrations.py",
    "test_query_plans.py",
    # They list what the schema has: it has more now.
    "test_bench.py::test_filling_makes_what_registering_makes",
    "test_row_rules.py::test_no_rule_is_left_out_here[outbox]",
    "test_schema_guards.py::test_every_content_column_is_guarded",
    # They list what an event tells: it tells more now.
    "test_verification.py::test_bytes_that_are_back_are_verified",
    "test_verification.py::test_other_bytes_are_told_with_both_hashes",
    # They write behind the code's back to where no code writes any more.
    "test_build_artifacts_usable.py::test_what_nobody_is_to_go_on_from_is_not_usable[corrupt]",
    "test_build_resumes.py::test_artifacts_that_cannot_be_used_are_left_out",
]
ALL = [FOLDER, *(f"--deselect={FOLDER}/{test}" for test in LEFT_OUT)]

_PYTEST = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not long"]


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_the_releases_own_tests_pass_on_todays_schema(tmp_path: Path, postgres: str) -> None:
    tree = released_files(tmp_path)
    shutil.rmtree(tree / MIGRATIONS)
    shutil.copytree(HERE / MIGRATIONS, tree / MIGRATIONS)
    (tree / TOOLS).symlink_to(HERE / TOOLS)
    done = subprocess.run(
        [sys.executable, *_PYTEST, *ALL],
        cwd=tree,
        env={**os.environ, "REGISTRY_DATABASE_URL": postgres},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    assert " passed" in done.stdout
