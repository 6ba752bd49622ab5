"""The storage account goes away and comes back while uploads and events go on."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import AzureError

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.ground import Ground
from tests.end_to_end.later import restart_later
from tests.end_to_end.notices import cloud_event, plain
from tests.end_to_end.waiting import wait_for

ENOUGH = 25
BACKLOG = {f"backlog {number}" for number in range(100)}
AT_ONCE: dict[str, Any] = {"retry_total": 0, "connection_timeout": 2, "read_timeout": 2}


class Load:
    """Uploads one blob after another, by turns where a trigger watches and with an event.

    What it was told that it had succeeded in is in `uploaded` and `announced`.
    """

    def __init__(self, ground: Ground) -> None:
        self.uploaded: set[str] = set()
        self.announced: set[str] = set()
        self.failures = 0
        self._ground = ground
        self._stopping = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @property
    def successes(self) -> int:
        return len(self.uploaded) + len(self.announced)

    def wait_for_more(self) -> None:
        """Until as much again has succeeded as makes a load."""
        before = self.successes
        wait_for("uploads", lambda: self.successes >= before + ENOUGH)

    def wait_for_failures(self) -> None:
        before = self.failures
        wait_for("failures", lambda: self.failures >= before + 3)

    def _run(self) -> None:
        for number in count():
            if self._stopping.wait(0.02):
                return
            try:
                self._upload(str(number)) if number % 2 else self._announce(str(number))
            except AzureError:
                self.failures += 1

    def _upload(self, name: str) -> None:
        self._ground.uploads.upload_blob(name, name.encode(), **AT_ONCE)
        self.uploaded.add(name)

    def _announce(self, name: str) -> None:
        self._ground.others.upload_blob(name, name.encode(), **AT_ONCE)
        announce(self._ground, name)
        self.announced.add(name)


@pytest.mark.long
def test_what_was_uploaded_around_outages_is_registered_once(
    run_app: RunApp, database_url: str, own_azurite: Azurite
) -> None:
    with run_app(database_url, own_azurite) as (app, ground):
        with Load(ground) as load:
            load.wait_for_more()
            own_azurite.stop()
            load.wait_for_failures()
            own_azurite.start()
            load.wait_for_more()
            begin_backlog(ground)
            with a_run_held_before_it_reads(database_url):
                own_azurite.stop()
            wait_for("a run that gave up", lambda: "blob_events failed" in app.log)
            # What was in work then could not be given back: it is due ten minutes later.
            restart_later(own_azurite)
            load.wait_for_more()
        wait_for("uploads", lambda: load.uploaded <= ground.revisions(ground.uploads).keys())
        ground.wait_until_drained()
        assert load.announced | BACKLOG <= ground.revisions(ground.others).keys()
        for container in (ground.uploads, ground.others):
            assert set(map(tuple, ground.revisions(container).values())) == {(1,)}
        assert ground.poisoned() == 0
        assert ground.set_aside("") == []


def begin_backlog(ground: Ground) -> None:
    """Announce more blobs at once than are worked off at once; some are, when this returns."""
    for path in BACKLOG:
        ground.put(path, path.encode())
    with ThreadPoolExecutor(8) as senders:
        list(senders.map(partial(announce, ground), BACKLOG))
        wait_for("some of it", lambda: ground.revisions(ground.others).keys() & BACKLOG)


@contextmanager
def a_run_held_before_it_reads(database_url: str) -> Generator[None]:
    """While a run, at least, has seen its blob and waits for the number of the observation.

    Changing the sequence, without commit, locks it against `nextval`.
    """
    with (
        psycopg.connect(database_url) as holder,
        psycopg.connect(database_url, autocommit=True) as onlooker,
    ):
        holder.execute("ALTER SEQUENCE registry.observations CACHE 1")
        wait_for(
            "a run in work",
            lambda: onlooker.execute(
                "SELECT 1 FROM pg_locks"
                " WHERE relation = 'registry.observations'::regclass AND NOT granted"
            ).fetchone(),
        )
        yield
        holder.rollback()


def announce(ground: Ground, path: str) -> None:
    event = cloud_event(ground.account, ground.others.container_name, path)
    ground.events.send_message(plain(event), **AT_ONCE)
