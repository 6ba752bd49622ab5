"""The app: on the dev host as a child process, and its own command line."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import httpx
import psutil

from devhost.stack.errors import StackError
from devhost.stack.ports import LOOPBACK
from devhost.stack.processes import end_process
from devhost.stack.steps import StopRequested

READY_SECONDS = 60.0
PROJECT = Path(__file__).parents[2]


class AppProcess:
    """The app in the folder `app`, on the dev host, with `environment` as its app settings."""

    def __init__(self, app: Path, port: int, environment: Mapping[str, str]) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self._environment = dict(environment)
        self._command = [
            *(sys.executable, "-m", "devhost.host"),
            *("--app", str(app.absolute()), "--port", str(port)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """The pid of the host. Its output goes to our terminal."""
        self._process = subprocess.Popen(
            self._command,
            cwd=PROJECT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is ours to pass on, in our order
        )
        return self._process.pid

    def wait_until_ready(self, stop: Event) -> None:
        """Raises `StackError` when the app ends or is not ready in time, `StopRequested`."""
        deadline = time.monotonic() + READY_SECONDS
        with httpx.Client(base_url=self.url) as client:
            while not _is_ready(client):
                if stop.wait(0.1):
                    raise StopRequested
                self.check()
                if time.monotonic() > deadline:
                    raise StackError(f"The app is not ready; see {self.url}/api/health/ready.")

    def check(self) -> None:
        """Raises `StackError` when the app has ended by itself."""
        code = self._process.poll() if self._process else None
        if code is not None:
            raise StackError(f"The app ended by itself (exit code {code}); its output says why.")

    def stop(self) -> None:
        """Does nothing when it does not run."""
        if self._process is None:
            return
        if self._process.poll() is None:
            end_process(psutil.Process(self._process.pid))
        self._process.wait()


def call_registry(app: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """Run the app's command line in its folder and return what it printed.

    Raises `StackError` with the last line of its complaint.
    """
    done = subprocess.run(
        [sys.executable, "-m", "cli.registry", *arguments],
        cwd=app,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode != 0:
        complaint = (done.stderr or done.stdout).strip().split("\n")[-1]
        raise StackError(f"`registry {' '.join(arguments[:2])}` failed: {complaint}")
    return done.stdout.strip()


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/api/health/ready").is_success
    except httpx.TransportError:
        return False
