"""The registry's own parts on a database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from shared.services.build_surface import Builds
from shared.services.ingestion import IngestionService
from shared.services.set_aside import SetAsideService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from tests.behind_pgbouncer import IS_WANTED, behind_pgbouncer
from tests.databases import own_database
from tests.integration.clock import TickingClock
from tests.integration.failing import OwnQueue, Plant, own_queue_of, plant_of
from tests.integration.messages import over
from tests.integration.source_tables import SourceDatabase
from tests.integration.uploads import Uploads, uploading_to


@pytest.fixture(scope="session", autouse=True)
def connected_as_the_app(request: pytest.FixtureRequest, session_directory: Path) -> Iterator[None]:
    """Where somebody wants it: see tests/behind_pgbouncer.py."""
    if not IS_WANTED:
        yield
        return
    with behind_pgbouncer(request.getfixturevalue("postgres"), session_directory / "pgbouncer"):
        yield


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, size=8, timeout_seconds=10)
    yield database
    database.close()


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def artifacts(database: Database, clock: TickingClock) -> ArtifactService:
    return ArtifactService(database, clock)


@pytest.fixture
def sql(database_url: str) -> Iterator[psycopg.Connection[DictRow]]:
    """A connection behind the registry's back, to look at what is really stored."""
    connect = psycopg.Connection[DictRow].connect
    with connect(database_url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture
def uploads(azurite: Azurite, storage_container: str) -> Iterator[Uploads]:
    with uploading_to(azurite.connection_string, storage_container) as uploads:
        yield uploads


@pytest.fixture
def ingestion(
    database: Database, artifacts: ArtifactService, clock: TickingClock, azurite: Azurite
) -> IngestionService:
    return over(BlobStore(azurite.connection_string), database, artifacts, clock)


@pytest.fixture
def builds(
    database: Database,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    clock: TickingClock,
    azurite: Azurite,
) -> Builds:
    store = BlobStore(azurite.connection_string)
    verifications = Verifications(database, artifacts, ingestion, store, clock)
    return Builds.of(database, verifications, clock)


@pytest.fixture
def source(postgres: str) -> Iterator[SourceDatabase]:
    """A database beside the registry's own."""
    with own_database(postgres) as url:
        source = SourceDatabase(url)
        yield source
        source.close()


@pytest.fixture
def set_aside(database: Database, clock: TickingClock) -> SetAsideService:
    return SetAsideService(database, clock)


@pytest.fixture
def plant(
    unique_name: str,
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
) -> Iterator[Plant]:
    with plant_of(unique_name, azurite, database, artifacts, clock) as plant:
        yield plant


@pytest.fixture
def own_queue(azurite: Azurite, unique_name: str) -> Iterator[OwnQueue]:
    with own_queue_of(azurite.connection_string, unique_name) as queue:
        yield queue
