"""Azurite, the storage emulator, as a child process."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from devhost.stack.errors import StackError
from devhost.stack.node import azurite_script, node_program
from devhost.stack.ports import LOOPBACK, free_port
from devhost.stack.processes import end_process

ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (  # the emulator's public, documented key: every tool knows it, it guards nothing
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
SERVICES = ("blob", "queue", "table")
START_SECONDS = 60.0


class Azurite:
    """Blob, queue and table service of one emulated storage account, on 127.0.0.1.

    Data and log lie in `directory`, unless `in_memory`. `ports` are those of blob, queue and
    table; free ones when not given. A stopped emulator may be started again: same ports, and
    on disk the same data.
    """

    account = ACCOUNT
    account_key = ACCOUNT_KEY

    def __init__(
        self,
        directory: Path,
        *,
        ports: tuple[int, int, int] | None = None,
        in_memory: bool = False,
    ) -> None:
        self.directory = directory.absolute()
        self.ports = ports or (free_port(), free_port(), free_port())
        self._in_memory = in_memory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The emulator's process, None when it does not run."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    @property
    def connection_string(self) -> str:
        """What the Azure SDKs, the Functions host and Core Tools take."""
        endpoints = "".join(
            f"{service.title()}Endpoint=http://{LOOPBACK}:{port}/{ACCOUNT};"
            for service, port in zip(SERVICES, self.ports, strict=True)
        )
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"{endpoints}"
        )

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start, and wait until all three services listen. One left by a crash is ended first.

        `environment` is what its process finds beside ours. Raises `StackError` when they do not
        listen in time.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self.end_leftover()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # Ctrl-C at the terminal is ours to pass on, in our order
            )
        self._wait_until_listening(self._process)

    def stop(self) -> None:
        """Stop, writing everything to disk. Does nothing when it does not run."""
        if self._process is None:
            return
        if self._process.poll() is None:
            end_process(psutil.Process(self._process.pid))
        self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a crash would: what it had not written yet is lost."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def end_leftover(self) -> None:
        """Two emulators on the same files would spoil them: end the one that a crash left."""
        if self._in_memory:
            return
        for process in psutil.process_iter(["cmdline"]):
            command: list[str] = process.info["cmdline"] or []
            if os.fspath(azurite_script()) in command and os.fspath(self.directory) in command:
                end_process(process)

    @property
    def _log(self) -> Path:
        return self.directory / "azurite.log"

    def _command(self) -> list[str]:
        where = (
            ["--inMemoryPersistence"]
            if self._in_memory
            else ["--location", os.fspath(self.directory)]
        )
        listen = [
            part
            for service, port in zip(SERVICES, self.ports, strict=True)
            for part in (f"--{service}Host", LOOPBACK, f"--{service}Port", str(port))
        ]
        quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        return [str(node_program()), str(azurite_script()), *where, *listen, *quiet]

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            said = self._log.read_text(errors="replace")
            if said.count("successfully listen") >= len(SERVICES):
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise StackError(f"Azurite did not start; see {self._log}.")
