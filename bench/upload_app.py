"""The app on the dev host, as a process of its own, taking notices of uploads."""

import subprocess
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psycopg

from bench.upload_source import PATIENCE_SECONDS, UploadSource
from devhost.stack.app_process import PROJECT, AppProcess
from devhost.stack.ports import free_port
from shared.database.queries import load_queries

_POLL_SECONDS = 0.02
_QUERIES = load_queries(__file__)


class _QuietApp(AppProcess):
    """Writes its output into a file: a line or two a blob would bury the figures."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(PROJECT, free_port(), environment)
        self._log = log

    def start(self) -> int:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=PROJECT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process.pid


@contextmanager
def running_app(environment: Mapping[str, str], log: Path) -> Generator[None]:
    """The app, ready. Its last words follow where anything goes wrong."""
    app = _QuietApp(environment, log)
    app.start()
    try:
        app.wait_until_ready(Event())
        yield
    except Exception as fault:
        fault.add_note("\n".join(log.read_text(errors="replace").split("\n")[-20:]))
        raise
    finally:
        app.stop()


def register_uploads(
    source: UploadSource, database_url: str, count: int, folder: str
) -> dict[str, float]:
    """Have blobs uploaded and wait until all are registered.

    Answers with the second since the epoch at which each path's registration was committed.
    Raises TimeoutError where nothing more is registered.
    """
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        ThreadPoolExecutor(1) as uploader,
    ):
        uploading = uploader.submit(source.send, count, folder)
        _release_as_registered(connection, source, count, folder)
        uploading.result()
        rows = connection.execute(_QUERIES["registered"], {"folder": folder}).fetchall()
    return dict(rows)


def _release_as_registered(
    connection: psycopg.Connection, source: UploadSource, count: int, folder: str
) -> None:
    released = 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while released < count:
        row = connection.execute(_QUERIES["count_registered"], {"folder": folder}).fetchone()
        registered = row[0] if row else 0
        for _ in range(registered - released):
            source.done()
            deadline = time.monotonic() + PATIENCE_SECONDS
        released = registered
        if time.monotonic() > deadline:
            raise TimeoutError(f"{registered} of {count} blobs were registered")
        time.sleep(_POLL_SECONDS)
