"""The folder in which a stack keeps its data and says what runs (`.local/`)."""

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ValidationError

from devhost.stack.azurite import Azurite
from devhost.stack.errors import StackError
from devhost.stack.postgres import EmbeddedPostgres
from devhost.stack.processes import ProcessRecord, end_process


class StackDescription(BaseModel):
    """`stack.json`: what a client of a running stack needs. `pid` takes SIGTERM for a stop."""

    api_url: str
    admin_key: str
    read_key: str
    write_key: str
    storage_connection_string: str
    container: str
    database_url: str
    pid: int


class StackDirectory:
    """Paths, the lock that one running stack holds, and the app process it has started."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.postgres = self.root / "postgres"
        self.azurite = self.root / "azurite"
        self.description = self.root / "stack.json"
        self.shell_variables = self.root / "stack.env"
        self.pepper = self.root / "pepper"
        self.keys = self.root / "keys.json"
        self._app = self.root / "app-process.json"
        self._lock = self.root / "lock"

    @contextmanager
    def hold(self) -> Generator[None]:
        """Be the one stack of this folder; the system lets go of the lock even after a crash.

        Raises `StackError`, naming the other one, when a stack is running already.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(self._running_elsewhere()) from None
            yield

    def clear(self) -> None:
        """Delete everything; raises `StackError` while a stack is running."""
        with self.hold():
            self.end_leftover_app()
            EmbeddedPostgres(self.postgres).stop()
            Azurite(self.azurite).end_leftover()
            shutil.rmtree(self.root)

    def describe(self, description: StackDescription, shell_variables: str) -> None:
        """Publish the running stack; only the owner may read it, for it holds keys."""
        write_private(self.shell_variables, shell_variables)
        write_private(self.description, description.model_dump_json(indent=2) + "\n")

    def forget(self) -> None:
        """Nothing runs any more."""
        for path in (self.description, self.shell_variables, self._app):
            path.unlink(missing_ok=True)

    def read_description(self) -> StackDescription | None:
        """None when no stack has published itself here."""
        try:
            return StackDescription.model_validate_json(self.description.read_text())
        except (FileNotFoundError, ValidationError):
            return None

    def record_app(self, pid: int) -> None:
        """Remember the app's process, so that the next start finds it if this one is killed."""
        write_private(self._app, ProcessRecord.of(pid).model_dump_json())

    def end_leftover_app(self) -> None:
        """End the app that a stack which was killed has left running.

        The services find their own leftovers, by their data, when they start.
        """
        try:
            process = ProcessRecord.model_validate_json(self._app.read_text()).find()
        except (FileNotFoundError, ValidationError):
            process = None
        if process is not None:
            end_process(process)
        self.forget()

    def _running_elsewhere(self) -> str:
        running = self.read_description()
        if running is None:
            return "A stack is being started or stopped here right now; try again in a moment."
        return (
            f"A stack is already running at {running.api_url}; "
            f"stop it with Ctrl-C, or with `kill {running.pid}`."
        )


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole; its owner alone may read it, from the first moment on."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    draft.replace(path)
