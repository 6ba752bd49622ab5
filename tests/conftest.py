"""Real services for the tests: one PostgreSQL and one Azurite a session, clean ground a test."""

import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from azure.storage.blob import BlobServiceClient

from devhost.stack.azurite import Azurite
from devhost.stack.postgres import THROW_AWAY, EmbeddedPostgres
from tests.databases import database_of, own_database

MEMORY_BYTES = 4 * 1024**3
"""Several processes share it, and the log of each database server alone may grow to a gigabyte."""


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that runs in this process silences what the next test may look for."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="session")
def session_directory() -> Iterator[Path]:
    """Outside pytest's own folders: every start of pytest closes those to other accounts."""
    with tempfile.TemporaryDirectory(prefix="registry-tests-", dir=_memory()) as directory:
        yield Path(directory)


def _memory() -> Path | None:
    """Files in memory, where there is room: a clone of a database is hundreds of them."""
    shared = Path("/dev/shm")  # noqa: S108 - only folders with names of their own are made in it
    is_large = shared.is_dir() and shutil.disk_usage(shared).free > MEMORY_BYTES
    return shared if is_large and os.access(shared, os.W_OK) else None


@pytest.fixture(scope="session")
def postgres(session_directory: Path) -> Iterator[str]:
    """URL of a server on which databases may be made: `REGISTRY_DATABASE_URL`, else our own."""
    given = os.environ.get("REGISTRY_DATABASE_URL")
    if given:
        yield given
        return
    server = EmbeddedPostgres(session_directory / "postgres", settings=THROW_AWAY)
    server.start()
    yield server.url()
    server.stop()


@pytest.fixture(scope="session")
def template_database(postgres: str) -> Iterator[str]:
    """Name of a migrated database that nobody connects to, so that it can be cloned."""
    # Tests of the host need no app.
    from shared.database.migrate import migrate  # noqa: PLC0415
    from tests.behind_pgbouncer import IS_WANTED, migrate_as_owner  # noqa: PLC0415

    with own_database(postgres) as url:
        migrate_as_owner(url) if IS_WANTED else migrate(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
def administrator(postgres: str) -> Iterator[psycopg.Connection]:
    """One that makes and drops databases."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture
def database_url(
    postgres: str, administrator: psycopg.Connection, template_database: str
) -> Iterator[str]:
    """URL of a migrated, empty database of the test's own."""
    with database_of(administrator, postgres, template_database) as url:
        yield url


@pytest.fixture(scope="session")
def azurite(session_directory: Path) -> Iterator[Azurite]:
    """A storage account that all tests share: name what you make in it with `unique_name`."""
    emulator = Azurite(session_directory / "azurite", in_memory=True)
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture
def own_azurite(session_directory: Path, unique_name: str) -> Iterator[Azurite]:
    """A storage account of the test's own, which it may stop, kill and start again."""
    emulator = Azurite(session_directory / unique_name)
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture
def unique_name() -> str:
    """A name that no other test uses, valid for a container, a queue and a database."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def storage_container(azurite: Azurite, unique_name: str) -> Iterator[str]:
    """Name of an empty container of the test's own."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        service.get_container_client(unique_name).create_container()
        yield unique_name
        service.delete_container(unique_name)
