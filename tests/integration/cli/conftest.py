"""The commands against a real registry: a server on this machine, a socket in between."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
import uvicorn
from typer import Typer
from typer.testing import CliRunner, Result

from cli import bldst
from cli.registry import app
from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.services.artifact_service import ArtifactService
from tests.integration.http.conftest import build_registry

UNSET = (
    *("REGISTRY_API_URL", "REGISTRY_API_KEY", "REGISTRY_TOKEN", "REGISTRY_PROFILE"),
    *("BLDST_API_URL", "BLDST_API_KEY", "BLDST_UPLOAD_URL", "BLDST_CONTAINER"),
    "AZURE_STORAGE_CONNECTION_STRING",
)


class AtTerminal(CliRunner):
    """Runs commands here; what they read from is a real terminal, at which something was typed."""

    def __init__(self, typed: str) -> None:
        super().__init__()
        self._typed = typed

    @contextmanager
    def isolation(
        self,
        input: str | bytes | None = None,  # noqa: A002 - the library's name
        env: Mapping[str, str | None] | None = None,
        color: bool = False,
    ) -> Generator[tuple[BytesIO, BytesIO, BytesIO]]:
        ours, theirs = os.openpty()
        os.write(ours, self._typed.encode() + b"\n")
        with super().isolation(input, env, color) as streams, os.fdopen(theirs) as sys.stdin:
            yield streams
        os.close(ours)


@dataclass(frozen=True)
class Terminal:
    """Where commands are typed: no settings but these, and a home of its own."""

    settings: Mapping[str, str] = field(repr=False)
    command: Typer = app
    name: str = "registry"

    def run(self, *arguments: str, stdin: str | bytes = "") -> Result:
        return CliRunner().invoke(self.command, list(arguments), env=self._isolated, input=stdin)

    def answer(self, answer: str, *arguments: str) -> Result:
        """What the command does at a terminal where somebody types this."""
        return AtTerminal(answer).invoke(self.command, list(arguments), env=self._isolated)

    def read(self, *arguments: str, stdin: str | bytes = "") -> Any:
        """What a command that ends well writes as JSON."""
        result = self.run(*arguments, "-o", "json", stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    @property
    def _isolated(self) -> dict[str, str | None]:
        return {**dict.fromkeys(UNSET), **self.settings}

    @property
    def environment(self) -> dict[str, str]:
        """For a process of its own."""
        kept = {name: value for name, value in os.environ.items() if name not in UNSET}
        return {**kept, **self.settings}

    def having(self, **settings: str) -> "Terminal":
        return replace(self, settings={**self.settings, **settings})

    def without(self, *names: str) -> "Terminal":
        kept = {name: value for name, value in self.settings.items() if name not in names}
        return replace(self, settings=kept)


def refused(result: Result, code: int, *words: str) -> None:
    """One line on stderr, nothing on stdout, and the exit code."""
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


@pytest.fixture
def registry(database: Database, artifacts: ArtifactService) -> Registry:
    return build_registry(database, artifacts)


@pytest.fixture
def api_url(registry: Registry) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    served = build_app(lambda: registry)
    server = uvicorn.Server(uvicorn.Config(served, log_config=None, lifespan="off"))
    # The socket listens already: who comes early waits in its queue.
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def terminal(api_url: str, registry: Registry, tmp_path: Path) -> Terminal:
    """With a key of every scope."""
    key = registry.keys.create("operator", list(Scope)).text
    return Terminal(
        {"REGISTRY_API_URL": api_url, "REGISTRY_API_KEY": key, "XDG_CONFIG_HOME": str(tmp_path)}
    )


@pytest.fixture
def server(api_url: str, registry: Registry, tmp_path: Path) -> Terminal:
    """Of a build server, with what it needs to tell and to read."""
    key = registry.keys.create("server", [Scope.READ, Scope.WRITE]).text
    settings = {"BLDST_API_URL": f"{api_url}/api", "BLDST_API_KEY": key, "HOME": str(tmp_path)}
    return Terminal(settings, bldst.app, "bldst")


@pytest.fixture
def build_id(server: Terminal) -> str:
    """Of a build that nothing is told of yet."""
    return str(server.read("build", "create", "rhel-9-1")["id"])


@pytest.fixture
def reader_key(registry: Registry) -> str:
    return registry.keys.create("reader", [Scope.READ]).text


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Whoever runs tests in the background of a shell has every child ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def signal_where_it_waits(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    """Send a signal to a command that waits for an answer.

    Python sees to a signal between two steps of its own: one that comes just before it begins to
    wait, it sees to when that has ended. Whoever sits at a terminal presses the keys again.
    """
    while psutil.Process(process.pid).status() != psutil.STATUS_SLEEPING:
        time.sleep(0.01)
    process.send_signal(number)
