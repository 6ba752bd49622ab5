"""Running apps: one that the tests share, others of a test's own to stop and to kill."""

import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from devhost.stack.azurite import Azurite
from tests.databases import own_database
from tests.end_to_end.ground import Ground, ground_of
from tests.end_to_end.running_app import RunningApp

Running = tuple[RunningApp, Ground]
RunApp = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def run_app(tmp_path_factory: pytest.TempPathFactory) -> RunApp:
    """Run an app on a database and a storage account; it must end well when asked to."""

    @contextmanager
    def run(
        database_url: str, azurite: Azurite, settings: dict[str, str] | None = None
    ) -> Generator[Running]:
        name = f"test-{uuid.uuid4().hex}"
        log = tmp_path_factory.mktemp("app") / "log"
        app = RunningApp(name, database_url, azurite.connection_string, log, settings)
        with ExitStack() as closing:
            closing.callback(app.close)
            ground = closing.enter_context(ground_of(name, azurite.connection_string, database_url))
            ground.make()
            app.migrate()
            app.start()
            yield app, ground
            assert app.stop() == 0

    return run


@pytest.fixture(scope="package")
def shared_database(postgres: str) -> Iterator[str]:
    """URL of a new database, not even migrated, of the shared app's own."""
    with own_database(postgres) as url:
        yield url


@pytest.fixture(scope="package")
def running(run_app: RunApp, shared_database: str, azurite: Azurite) -> Iterator[Running]:
    """One app for every test here that leaves it running; nothing makes it stumble.

    An app that looks for blobs and messages twice a second is not left behind for others.
    """
    with run_app(shared_database, azurite) as (app, ground):
        yield app, ground
    assert "Traceback" not in app.log


@pytest.fixture
def app(running: Running) -> RunningApp:
    return running[0]


@pytest.fixture
def ground(running: Running) -> Ground:
    return running[1]
