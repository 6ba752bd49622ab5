"""The image, as far as it can be looked at without building it: the files that it takes."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.charts.helm import CHART, PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
DOCKERFILE = (PROJECT / "Dockerfile").read_text()

RUN = """
import pathlib, sys
import function_app, cli.registry
names = [each.get_function_name() for each in function_app.app.get_functions()]
ours = {name.partition(".")[0] for name in sys.modules} & set(sys.argv[1:])
for name, module in sys.modules.items():
    if name.partition(".")[0] in ours:
        assert pathlib.Path(module.__file__).is_relative_to(pathlib.Path.cwd()), name
print(len(names), *sorted(ours))
"""


def copied() -> dict[str, str]:
    """What the build takes from the project: source → where it lands."""
    found: dict[str, str] = {}
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        found |= dict.fromkeys(sources, target)
    return found


@pytest.mark.long  # the app's own packages, named once more in pyproject.toml, say it quicker
def test_the_files_of_the_image_are_enough_for_the_app_and_its_command(tmp_path: Path) -> None:
    for source in set(copied()) - {"requirements.txt"}:
        (tmp_path / source).symlink_to(PROJECT / source)
    ours = [path.name for path in PROJECT.iterdir() if (path / "__init__.py").exists()]
    done = subprocess.run(
        [sys.executable, "-B", "-c", RUN, *ours],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.fspath(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1:] == ["cli", "functions", "shared"]


def test_all_packages_of_the_app_are_taken_and_no_other_file_of_the_project() -> None:
    packages: list[str] = PYPROJECT["tool"]["uv"]["build-backend"]["module-name"]
    assert set(copied()) == {*packages, "function_app.py", "host.json", "requirements.txt"}


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied())


def test_packages_are_hashed_and_nobody_is_root() -> None:
    assert "--require-hashes" in DOCKERFILE
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert stages == ["${BASE}"] * 2
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert last.index("\nUSER 10001:10001\n") < last.index("import function_app")
    assert "http://+:8080" in last
    assert not re.search(r"^(ARG|ENV) .*(KEY|SECRET|TOKEN|PASSWORD)=", DOCKERFILE, re.MULTILINE)


def test_the_chart_asks_for_the_image_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == PYPROJECT["project"]["version"]
