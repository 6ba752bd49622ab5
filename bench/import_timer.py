"""`python -m bench.import_timer`: import the modules named on standard input, timed, in order.

Prints one JSON object; imports nothing beforehand that the modules would have to pay for.
"""

import importlib
import resource
import sys
import time
from types import ModuleType


def _third_party() -> list[str]:
    """Installed modules that are loaded now, in the order in which their import began."""
    return [name for name, module in sys.modules.items() if _is_installed(name, module)]


def _is_installed(name: str, module: ModuleType) -> bool:
    """Aliases and modules that others make up while they run cannot be imported by name."""
    spec = getattr(module, "__spec__", None)
    return spec is not None and spec.name == name and "site-packages" in (spec.origin or "")


def _import_all(names: list[str]) -> tuple[float, float]:
    """Wall and user seconds."""
    wall, user = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for name in names:
        importlib.import_module(name)
    user = resource.getrusage(resource.RUSAGE_SELF).ru_utime - user
    return time.perf_counter() - wall, user


def main() -> None:
    wall, user = _import_all(sys.stdin.read().split())
    import json  # noqa: PLC0415 - only now: it would be missing from what is timed

    print(json.dumps({"wall": wall, "user": user, "third_party": _third_party()}))


if __name__ == "__main__":
    main()
