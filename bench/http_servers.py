"""Server processes of a benchmark's own."""

import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench.http_worker import WorkerApp
from devhost.stack.app_process import PROJECT
from devhost.stack.ports import LOOPBACK, free_port
from devhost.stack.processes import end_process

_POLL_SECONDS = 0.05


class ServerFailed(Exception):
    """A server ended by itself, or nothing answers at its address in time."""


@dataclass(frozen=True)
class Server:
    """A process that answers at `url`."""

    url: str
    process: psutil.Popen

    def cpu_seconds(self) -> float:
        """What it and its children have used of the processors so far."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(times.user + times.system for times in (each.cpu_times() for each in family))

    def memory_bytes(self) -> int:
        """Resident, children included."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_info().rss for each in family)


@contextmanager
def running_worker(
    app: WorkerApp, environment: Mapping[str, str], directory: Path
) -> Generator[Server]:
    """One worker process of ours."""
    port = free_port()
    command = [sys.executable, "-m", "bench.http_worker", app.value, str(port)]
    url = f"http://{LOOPBACK}:{port}"
    with running_server(command, url, environment, directory / f"{app}-{port}.log") as server:
        yield server


@contextmanager
def running_server(
    command: Sequence[str],
    url: str,
    environment: Mapping[str, str],
    log: Path,
    patience_seconds: float = 60.0,
) -> Generator[Server]:
    """A command that serves at `url`. Its last words follow where anything goes wrong."""
    with log.open("wb") as output:
        process = psutil.Popen(
            list(command),
            cwd=PROJECT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_listening(process, url, patience_seconds)
        yield Server(url, process)
    except Exception as fault:
        fault.add_note("\n".join(log.read_text(errors="replace").split("\n")[-20:]))
        raise
    finally:
        _end(process)


def _wait_until_listening(process: psutil.Popen, url: str, patience_seconds: float) -> None:
    address = (LOOPBACK, urlsplit(url).port)
    deadline = time.monotonic() + patience_seconds
    while not _is_listening(address):
        if process.poll() is not None:
            raise ServerFailed(f"The server ended by itself, exit code {process.returncode}.")
        if time.monotonic() > deadline:
            raise ServerFailed(f"The server does not listen after {patience_seconds:.0f} s.")
        time.sleep(_POLL_SECONDS)


def _is_listening(address: tuple[str, int | None]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def _end(process: psutil.Popen) -> None:
    """The process and what it has started: of those, a server that is killed leaves orphans."""
    family = process.children(recursive=True) if process.is_running() else []
    if process.poll() is None:
        end_process(psutil.Process(process.pid))
    process.wait()
    for orphan in family:
        if orphan.is_running():
            end_process(orphan)
