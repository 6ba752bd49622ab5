"""Liveness and readiness over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx

from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from shared.services.health import HealthService
from tests.integration.http.caller import Caller
from tests.integration.http.conftest import build_registry
from tests.integration.registering import create

SECRET = "AccountKey=abc"


def fail(*_: Any) -> Any:
    raise RuntimeError(SECRET)


def ready(registry: Callable[[], Registry]) -> httpx.Response:
    return Caller(build_app(registry)).get("/api/health/ready")


def test_liveness_answers_anyone_and_touches_nothing() -> None:
    found = Caller(build_app(fail)).get("/api/health/live")
    assert (found.status_code, found.json()) == (200, {"status": "ok"})


def test_readiness_names_every_dependency(database: Database, artifacts: ArtifactService) -> None:
    checks = {"database": lambda: database.check(2.0), "blobs": lambda: None}
    found = ready(lambda: build_registry(database, artifacts, HealthService(checks)))
    assert found.status_code == 200
    assert found.json() == {
        "status": "ok",
        "checks": {"database": {"status": "ok"}, "blobs": {"status": "ok"}},
        "audit": {"waiting_events": 0, "behind_seconds": 0.0},
    }


def test_readiness_tells_how_far_the_audit_trail_is_behind(
    database: Database, artifacts: ArtifactService
) -> None:
    create(artifacts, "a")
    create(artifacts, "b")
    found = ready(lambda: build_registry(database, artifacts)).json()
    assert found["status"] == "ok"
    assert found["audit"]["waiting_events"] == 2
    assert found["audit"]["behind_seconds"] > 0


def test_one_dependency_down_is_503_and_tells_which_but_not_why(
    broken_database: Database, artifacts: ArtifactService
) -> None:
    checks = {
        "database": lambda: broken_database.check(0.2),
        "blobs": lambda: None,
        "queues": fail,
    }
    found = ready(lambda: build_registry(broken_database, artifacts, HealthService(checks)))
    assert found.status_code == 503
    assert int(found.headers["retry-after"]) > 0
    assert found.json() == {
        "status": "unavailable",
        "checks": {
            "database": {"status": "unavailable"},
            "blobs": {"status": "ok"},
            "queues": {"status": "unavailable"},
        },
        "audit": None,
    }


def test_an_app_that_cannot_be_built_is_not_ready_and_not_a_fault() -> None:
    found = ready(fail)
    assert found.status_code == 503
    assert found.json() == {"status": "unavailable", "checks": {}, "audit": None}
