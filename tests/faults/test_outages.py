"""The database and the storage account go away and come back while uploads and events go on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devhost.host.storage import create_queue
from devhost.stack.azurite import Azurite
from devhost.stack.postgres import EmbeddedPostgres
from shared.database.migrate import migrate
from tests.databases import connected
from tests.end_to_end.waiting import wait_for
from tests.faults.conftest import Tally
from tests.faults.load import Load, load_on
from tests.faults.places import Place
from tests.faults.registered import Rows, assert_holds, reasons
from tests.faults.sizes import sized
from tests.faults.worker import SOON, Worker, taking_events, working
from tests.integration.uploads import Uploads, uploading_to

SURVIVES_A_CRASH = {"fsync": "off", "full_page_writes": "off"}
"""What was committed is in the system's hands at least: of a machine that goes down, no word."""


@pytest.fixture
def server(session_directory: Path, unique_name: str) -> Iterator[EmbeddedPostgres]:
    """A database server of the test's own, migrated, which may be stopped and killed."""
    server = EmbeddedPostgres(session_directory / unique_name, settings=SURVIVES_A_CRASH)
    server.start()
    migrate(server.url())
    yield server
    server.stop()


def crash(server: EmbeddedPostgres) -> None:
    """Without a word to anybody: the next start recovers from the log."""
    process = psutil.Process(server.pid)
    process.send_signal(signal.SIGQUIT)
    process.wait()


def wait_for_retries(worker: Worker) -> None:
    """Until the outage was felt."""
    before = worker.retried
    wait_for("messages left for later", lambda: worker.retried > before)


@pytest.mark.parametrize("times", sized((1,), (3,)))
def test_a_database_restarted_under_load_loses_nothing(
    azurite: Azurite,
    server: EmbeddedPostgres,
    unique_name: str,
    uploads: Uploads,
    tally: Tally,
    times: int,
) -> None:
    place = Place(server.url(), azurite.connection_string, unique_name)
    with (
        place.queue() as queue,
        place.ingestion() as service,
        working(place, taking_events(service, place), visibility=SOON) as worker,
    ):
        create_queue(queue)  # the worker does so as well
        with load_on(uploads.container, queue) as load:
            for turn in range(times):
                load.wait_for_more()
                server.stop() if turn % 2 else crash(server)
                wait_for_retries(worker)
                server.start()
            load.wait_for_more()
        place.wait_until_drained(queue)
    with connected(server.url()) as sql:
        assert_nothing_lost(sql, uploads, load)
    tally(restarts=times, uploads=load.announced, retried=worker.retried)


@pytest.mark.parametrize("times", sized((1,), (5,)))
def test_a_storage_account_stopped_under_load_loses_nothing(
    own_azurite: Azurite,
    database_url: str,
    unique_name: str,
    sql: Rows,
    tally: Tally,
    times: int,
) -> None:
    place = Place(database_url, own_azurite.connection_string, unique_name)
    with (
        place.queue() as queue,
        uploading_to(own_azurite.connection_string, unique_name) as uploads,
        place.ingestion() as service,
        working(place, taking_events(service, place), visibility=SOON) as worker,
    ):
        create_queue(queue)  # the worker does so as well
        with load_on(uploads.container, queue) as load:
            for _ in range(times):
                load.wait_for_more()
                own_azurite.stop()
                load.wait_for_failures()
                own_azurite.start()
            load.wait_for_more()
        place.wait_until_drained(queue)
        assert_nothing_lost(sql, uploads, load)
    tally(stops=times, uploads=load.announced, failed=load.failures, retried=worker.retried)


def assert_nothing_lost(sql: Rows, uploads: Uploads, load: Load) -> None:
    assert_holds(sql, uploads.container, load.contents)
    assert reasons(sql) == []
