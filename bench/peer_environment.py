"""Environments of the peers' own: nothing of theirs comes into the project's."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peer import PeerMissing

_UV = Path(sys.executable).with_name("uv")


def peer_python(requirements: Path, python_version: str) -> Path:
    """The interpreter of an environment that holds these requirements, made at its first use.

    It stays in the user's cache folder, under another name once the requirements change. Raises
    PeerMissing.
    """
    folder = _cache() / f"{requirements.stem}-{_digest(requirements)}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        missing = f"needs Python {python_version}, which is not on this machine"
        _uv(["venv", "--clear", "--python", python_version, str(folder)], missing)
        install = ["pip", "install", "--python", str(python), "--requirements", str(requirements)]
        _uv(install, "its packages cannot be installed on this machine")
        ready.touch()
    return python


def _cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "artifact-registry-bench"


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]


def _uv(arguments: Sequence[str], failure: str) -> None:
    """Installs wheels only: a peer is not to run code of its own while it is installed.

    What uv says when it fails names paths of this machine, which the results are not to tell.
    """
    done = subprocess.run(
        [str(_UV), "--quiet", *arguments],
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_BUILD": "1"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise PeerMissing(failure)
