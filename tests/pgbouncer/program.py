"""Where PgBouncer is: the machine's own, else Debian's package, unpacked and not installed.

Installed, it would start a service. `python -m tests.pgbouncer.program` fetches the package.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_UNPACKED = Path(sys.prefix) / "pgbouncer"


@dataclass(frozen=True)
class Program:
    path: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])
    """What it must find beside what every program does."""


def find_pgbouncer() -> Program | None:
    """None where the machine has none and nobody fetched it."""
    own = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
    if own is not None:
        return Program(Path(own))
    unpacked = _UNPACKED / "usr" / "sbin" / "pgbouncer"
    if not unpacked.exists():
        return None
    libraries = os.pathsep.join(str(each) for each in (_UNPACKED / "usr" / "lib").glob("*-linux-*"))
    return Program(unpacked, {"LD_LIBRARY_PATH": libraries})


def fetch_pgbouncer() -> None:
    """Unpack the package and what it needs that is not here; apt checks that they are Debian's.

    Raises CalledProcessError.
    """
    if shutil.which("apt-get") is None:
        sys.exit("There is neither PgBouncer nor apt here: install PgBouncer, without its service.")
    draft = _UNPACKED.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.joinpath("partial").mkdir(parents=True)
    try:
        _download(draft)
    except subprocess.CalledProcessError:  # no list of packages yet, or an old one
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        _download(draft)
    for package in draft.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, draft], check=True)
    shutil.rmtree(_UNPACKED, ignore_errors=True)
    draft.rename(_UNPACKED)


def _download(folder: Path) -> None:
    """As anybody: it takes no lock, and writes into the folder alone."""
    settings = (f"Dir::Cache::archives={folder}", "Debug::NoLocking=1", "APT::Sandbox::User=root")
    options = [part for setting in settings for part in ("-o", setting)]
    command = ["apt-get", "install", "--download-only", "--no-install-recommends", "-qq", "-y"]
    subprocess.run([*command, *options, "pgbouncer"], check=True)


if __name__ == "__main__":
    if find_pgbouncer() is None:
        fetch_pgbouncer()
