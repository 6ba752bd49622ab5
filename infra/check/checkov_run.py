"""Checkov over the Bicep files, run by Python of Checkov's own environment: `make check-infra`.

Its command line loads what it knows of forty other formats: half a minute of processor time, where
nothing is compiled yet, for three seconds of work. This asks for the one format that we have.
"""

# pyright: basic, reportMissingImports=false
# Checkov is not where our own packages are.

import logging
import sys
import tempfile
import tomllib
from pathlib import Path

import checkov.arm.checks  # noqa: F401  # registers most of what is checked of Bicep
from checkov.bicep.runner import Runner
from checkov.runner_filter import RunnerFilter

_INFRA = Path(__file__).parent.parent
_LEAST_PASSED = 20
"""Fewer would mean that it no longer understands our resources."""

UNKNOWN_TO_ITS_PARSER = {"cidrSubnet(": "concat(", "items(": "concat("}
"""Functions of Bicep that its parser stumbles over, and what it is shown in their place."""


def main() -> int:
    logging.disable()  # a check that fails on its own account is told of with a whole traceback
    skipped: dict[str, str] = tomllib.loads((_INFRA / "check" / "checkov-skips.toml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder))
        report = Runner().run(root_folder=folder, runner_filter=RunnerFilter(framework=["bicep"]))
    failed = [each for each in report.failed_checks if each.check_id not in skipped]
    unused = sorted(set(skipped) - {each.check_id for each in report.failed_checks})
    for path in report.parsing_errors:
        print(f"{Path(path).name}: Checkov cannot read it, and checked nothing of it")
    for each in failed:
        print(f"{each.file_path}:{each.file_line_range[0]}: {each.check_id}: {each.check_name}")
    for name in unused:
        print(f"checkov-skips.toml: nothing fails {name} any more")
    print(f"Checkov: {len(report.passed_checks)} passed, {len(failed)} failed")
    broken = report.parsing_errors or failed or unused
    return 1 if broken or len(report.passed_checks) < _LEAST_PASSED else 0


def _copy(folder: Path) -> None:
    for source in _INFRA.glob("**/*.bicep"):
        target = folder / source.relative_to(_INFRA)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text()
        for name, shown in UNKNOWN_TO_ITS_PARSER.items():
            text = text.replace(name, shown)
        target.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
