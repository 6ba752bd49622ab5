"""While the database is down, requests are refused politely and events wait."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devhost.stack.azurite import Azurite
from devhost.stack.postgres import THROW_AWAY, EmbeddedPostgres
from tests.end_to_end.conftest import RunApp, Running
from tests.end_to_end.notices import event_grid, plain
from tests.end_to_end.running_app import RunningApp
from tests.end_to_end.waiting import wait_for

MISSING = "/api/admin/artifacts/01890a5d-ac96-774b-bcce-b302099a8057"
INTERNALS = ("psycopg", "postgres", "connection", "Traceback", "127.0.0.1", "SELECT", "owner")


@pytest.fixture(scope="module")
def server(session_directory: Path) -> Iterator[EmbeddedPostgres]:
    """A database server that may be stopped."""
    server = EmbeddedPostgres(session_directory / "fragile", settings=THROW_AWAY)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def fragile(run_app: RunApp, server: EmbeddedPostgres, azurite: Azurite) -> Iterator[Running]:
    settings = {"REGISTRY_DATABASE_TIMEOUT_SECONDS": "1"}
    with run_app(server.url(), azurite, settings) as running:
        running[0].key()
        yield running


@contextmanager
def outage(server: EmbeddedPostgres) -> Generator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def readiness(app: RunningApp) -> int:
    return app.get("/api/health/ready", key="").status_code


def test_an_event_that_arrives_meanwhile_is_tried_again_and_registered_once(
    fragile: Running, server: EmbeddedPostgres
) -> None:
    app, ground = fragile
    ground.put("meanwhile.tif", b"pixels")
    event = event_grid(ground.account, ground.others.container_name, "meanwhile.tif")
    with outage(server):
        ground.events.send_message(plain(event))
        ground.uploads.upload_blob("meanwhile.tif", b"pixels")
        wait_for("two failed runs", lambda: app.log.count("blob_events failed") >= 2)
    ground.wait_until_drained()
    assert ground.revisions(ground.others) == {"meanwhile.tif": [1]}
    wait_for("the upload", lambda: ground.revisions(ground.uploads) == {"meanwhile.tif": [1]})
    assert ground.poisoned() == 0
    assert ground.set_aside("") == []


def test_readiness_follows_the_database_and_liveness_does_not(
    fragile: Running, server: EmbeddedPostgres
) -> None:
    app, _ = fragile
    assert readiness(app) == 200
    with outage(server):
        down = app.get("/api/health/ready", key="")
        assert down.status_code == 503
        checks = {name: check["status"] for name, check in down.json()["checks"].items()}
        assert checks.pop("database") == "unavailable"
        assert set(checks.values()) == {"ok"}
        assert app.get("/api/health/live", key="").status_code == 200
    wait_for("readiness", lambda: readiness(app) == 200)


def test_requests_are_told_to_come_again_and_nothing_of_what_is_inside(
    fragile: Running, server: EmbeddedPostgres
) -> None:
    app, _ = fragile
    with outage(server):
        for path in (MISSING, f"{MISSING}/chain", "/api/admin/artifacts/job/any"):
            answer = app.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["type"] == "urn:artifact-registry:problem:database-unavailable"
            told = answer.text.lower()
            assert not [word for word in INTERNALS if word.lower() in told]
    wait_for("an answer", lambda: app.get(MISSING).status_code == 404)
