"""A worker's process looked at from outside."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil
import psycopg
from psycopg.rows import DictRow, dict_row

_EVERY_SECONDS = 0.05
_CONNECTIONS = """
SELECT count(*) AS n FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'artifact-registry'
"""


class Watch:
    """The most that was seen so far."""

    def __init__(self, pid: int, database_url: str) -> None:
        self.resident_bytes = 0
        self.connections = 0
        self.looks = 0
        self._process = psutil.Process(pid)
        self._database_url = database_url

    def run(self, stopping: threading.Event) -> None:
        """Look until `stopping` is set."""
        connect = psycopg.Connection[DictRow].connect
        with connect(self._database_url, autocommit=True, row_factory=dict_row) as connection:
            while not stopping.wait(_EVERY_SECONDS):
                self._look(connection)

    def _look(self, connection: psycopg.Connection[DictRow]) -> None:
        row = connection.execute(_CONNECTIONS).fetchone()
        assert row
        self.connections = max(self.connections, row["n"])
        self.resident_bytes = max(self.resident_bytes, self._process.memory_info().rss)
        self.looks += 1


@contextmanager
def watching(pid: int | None, database_url: str) -> Generator[Watch]:
    """Look at a process and its connections while the block runs."""
    assert pid is not None
    watch = Watch(pid, database_url)
    stopping = threading.Event()
    thread = threading.Thread(target=watch.run, args=[stopping])
    thread.start()
    try:
        yield watch
    finally:
        stopping.set()
        thread.join()
