"""Function apps for tests: written, indexed in this process, or run by a dev host of their own."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devhost.host.indexing import Index, index_app

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample_app"
START_SECONDS = 90.0  # long, for a loaded machine
# Far above the 2 s that a stop may take on an idle machine, below the 10 s that listeners drain.
STOP_SECONDS = 8.0

PREAMBLE = "import azure.functions as func\napp = func.FunctionApp()\n"


def write_app(directory: Path, code: str, host: Mapping[str, object] | None = None) -> Path:
    """Writes a function app; `code` follows a preamble that defines `func` and `app`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "function_app.py").write_text(PREAMBLE + code)
    (directory / "host.json").write_text(json.dumps({"version": "2.0"} | dict(host or {})))
    return directory


def copy_sample(directory: Path, values: Mapping[str, object]) -> Path:
    """Copies the sample app, with a `local.settings.json`."""
    shutil.copytree(SAMPLE, directory, ignore=shutil.ignore_patterns("__pycache__"))
    settings = {"IsEncrypted": False, "Values": dict(values)}
    (directory / "local.settings.json").write_text(json.dumps(settings))
    return directory


def index_code(
    directory: Path,
    code: str,
    environment: Mapping[str, str] | None = None,
    allowed: Collection[str] = (),
) -> Index:
    """Indexes an app in this process and leaves no trace of the import."""
    write_app(directory, code)
    try:
        return index_app(directory, environment or {}, allowed)
    finally:
        sys.path.remove(str(directory))
        sys.modules.pop("function_app", None)


@dataclass(frozen=True)
class RunningHost:
    """A dev host in a process of its own."""

    process: subprocess.Popen[bytes]
    output_file: Path

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    @property
    def url(self) -> str:
        return self.wait_for(r"devhost: ready on (\S+)")[1]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Fails when the host ends, or when the time is over, before it has printed that."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            found = re.search(pattern, self.output)
            if found:
                return found
            if ended:
                break
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} not in:\n{self.output}")

    def stop(self) -> int:
        """Terminates the host and gives its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running_host(
    app: Path, *arguments: str, environment: Mapping[str, str] | None = None, port: int = 0
) -> Generator[RunningHost]:
    """Starts `python -m devhost.host`; whether it got ready is for the test to wait for."""
    output_file = app.parent / f"{app.name}.log"
    command = [sys.executable, "-m", "devhost.host", "--app", str(app), "--port", str(port)]
    with output_file.open("wb") as output:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": ""} | dict(environment or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield RunningHost(process, output_file)
    finally:
        process.kill()
        process.wait()
