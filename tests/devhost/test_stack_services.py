"""The embedded services: they start, come back after a crash and keep what they held."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from azure.storage.blob import BlobServiceClient

from devhost.stack.azurite import Azurite
from devhost.stack.errors import StackError
from devhost.stack.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def cluster(session_directory: Path) -> Iterator[EmbeddedPostgres]:
    """One for all tests: most of the work is to create it."""
    cluster = EmbeddedPostgres(session_directory / "started-and-stopped")
    yield cluster
    cluster.stop()


@pytest.fixture
def server(cluster: EmbeddedPostgres) -> EmbeddedPostgres:
    cluster.start()
    return cluster


@pytest.fixture(scope="module")
def emulator(session_directory: Path) -> Iterator[Azurite]:
    """One for all tests as well, which leave it running."""
    emulator = Azurite(session_directory / "killed-and-started")
    emulator.start()
    yield emulator
    emulator.stop()


def remember(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("DROP TABLE IF EXISTS memory")
        connection.execute("CREATE TABLE memory AS SELECT 42 AS answer")


def recall(server: EmbeddedPostgres) -> int:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT answer FROM memory").fetchone()
    assert row is not None
    return row[0]


def test_postgres_refuses_a_wrong_password(server: EmbeddedPostgres) -> None:
    password = (server.directory / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url().replace(password, "wrong"))


def test_the_password_of_postgres_is_for_its_owner_only(server: EmbeddedPostgres) -> None:
    assert (server.directory / "password").stat().st_mode & 0o077 == 0


def test_postgres_keeps_its_data_over_a_stop(server: EmbeddedPostgres) -> None:
    remember(server)
    server.stop()
    assert server.pid is None
    server.start()
    assert recall(server) == 42


def test_postgres_starts_again_after_a_crash(server: EmbeddedPostgres) -> None:
    remember(server)
    assert server.pid is not None
    process = psutil.Process(server.pid)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    server.start()
    assert recall(server) == 42


def test_postgres_takes_over_from_a_server_that_was_left_running(server: EmbeddedPostgres) -> None:
    remember(server)
    successor = EmbeddedPostgres(server.directory)
    successor.start()
    assert recall(successor) == 42


def test_postgres_starts_though_its_pid_now_belongs_to_another_program(
    server: EmbeddedPostgres,
) -> None:
    server.stop()
    stale = server.directory / "data" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{server.directory / 'data'}\n")
    server.start()
    assert server.pid not in (None, os.getpid())


def test_postgres_says_in_one_line_that_its_port_is_taken(
    server: EmbeddedPostgres, session_directory: Path
) -> None:
    rival = EmbeddedPostgres(session_directory / "rival", port=server.port)
    with pytest.raises(StackError, match=r"could not create any TCP/IP sockets"):
        rival.start()


def test_azurite_keeps_ports_and_data_over_a_restart(emulator: Azurite) -> None:
    with BlobServiceClient.from_connection_string(emulator.connection_string) as service:
        service.get_container_client("things").create_container()
        service.get_blob_client("things", "thing").upload_blob(b"kept")
        emulator.stop()
        emulator.start()
        assert service.get_blob_client("things", "thing").download_blob().readall() == b"kept"


def test_azurite_starts_again_after_it_was_killed(emulator: Azurite) -> None:
    emulator.kill()
    assert emulator.pid is None
    emulator.start()
    with BlobServiceClient.from_connection_string(emulator.connection_string) as service:
        service.get_container_client("after-the-crash").create_container()


def test_azurite_says_in_one_line_that_a_port_is_taken(emulator: Azurite, tmp_path: Path) -> None:
    rival = Azurite(tmp_path / "rival", ports=emulator.ports)
    with pytest.raises(StackError, match="Azurite did not start"):
        rival.start()
    assert rival.pid is None
