"""How long importing the app takes, against importing its third-party packages alone.

Both sides import in fresh interpreters with bytecode in place. The packages' side imports every
installed module that was loaded once `function_app` is, submodules included, in the order in which
they were loaded: no more and no less of each package than the app makes it load, and the modules
of the standard library that they need themselves. What the app adds is its own modules, and what
only these load from the standard library.
"""

import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from bench.ratio import Ratio

PROJECT = Path(__file__).parents[1]
APP = ["function_app"]
TARGET = 1 / 1.2
FULL_ROUNDS, QUICK_ROUNDS = 15, 2


class _Imported(BaseModel):
    wall: float
    user: float
    third_party: list[str]


def run(rounds: int) -> list[Ratio]:
    """Wall and user time; the targets are those of wall time."""
    packages = _import(APP).third_party
    _import(packages)  # both have written their bytecode now
    app: list[_Imported] = []
    alone: list[_Imported] = []
    for _ in range(rounds):
        app.append(_import(APP))
        alone.append(_import(packages))
    assert set(alone[0].third_party) == set(packages)
    loaded = f"{len(packages)} modules of {len({name.partition('.')[0] for name in packages})}"
    return [
        _ratio("wall", [i.wall for i in app], [i.wall for i in alone], loaded),
        _ratio("user", [i.user for i in app], [i.user for i in alone], loaded),
    ]


def _ratio(kind: str, app: Sequence[float], alone: Sequence[float], loaded: str) -> Ratio:
    ours, theirs = statistics.median(app), statistics.median(alone)
    details = f"{ours * 1000:.0f} ms, alone {theirs * 1000:.0f} ms ({loaded} packages)"
    return Ratio(f"import packages alone / function_app, {kind}", theirs / ours, TARGET, details)


def _import(modules: Sequence[str]) -> _Imported:
    done = subprocess.run(
        [sys.executable, "-m", "bench.import_timer"],
        input="\n".join(modules),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return _Imported.model_validate_json(done.stdout)
