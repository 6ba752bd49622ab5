"""A local stack as a user starts it: one process, on free ports, in a folder of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from devhost.stack.directory import StackDescription, StackDirectory
from devhost.stack.ports import free_port

PROJECT = Path(__file__).parents[2]
START_SECONDS = 90.0
STOP_SECONDS = 45.0


class RunningStack:
    """Starts in `directory`; what it prints is kept in `output`."""

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = StackDirectory(directory)
        self.port = port or free_port()
        self.output = directory.with_suffix(".output")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> StackDescription:
        """What `stack.json` says once everything is ready."""
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                self.command(),
                cwd=PROJECT,
                env=plain_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._wait_until_described(self._process)

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "devhost.stack", "run", "--any-ports"),
            *("--port", str(self.port), "--directory", str(self.directory.root)),
        ]

    def end(self, number: signal.Signals) -> int:
        """Send a signal as a terminal does, and return the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOP_SECONDS)

    def processes(self) -> list[psutil.Process]:
        """Everything that the stack's process has started, directly or not."""
        marks = (str(self.directory.root), f"--port {self.port}")
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(mark in " ".join(process.info["cmdline"] or []) for mark in marks)
        ]

    def close(self) -> None:
        """Leave nothing behind, however the test went."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGTERM)
        self.run("reset")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same folder."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "devhost.stack", command),
                *("--directory", str(self.directory.root)),
            ],
            cwd=PROJECT,
            env=plain_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def _wait_until_described(self, process: subprocess.Popen[bytes]) -> StackDescription:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            described = self.directory.read_description()
            if described is not None and described.pid == process.pid:
                return described
            time.sleep(0.1)
        raise AssertionError(self.output.read_text())


def plain_environment() -> dict[str, str]:
    """Without the settings of the shell that the tests run in; a fast blob sweep."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("REGISTRY_")}
    return {**own, "DEVHOST_BLOB_POLL_SECONDS": "0.5"}


def status_of_a_missing_artifact(stack: StackDescription, key: str) -> int:
    return httpx.get(
        f"{stack.api_url}/api/admin/artifacts/01890a5d-ac96-774b-bcce-b302099a8057",
        headers={"X-API-Key": key},
    ).status_code
