"""Errors that no route foresees: paths, methods, sizes, faults of ours."""

import logging
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from functions.http.app import build_app
from functions.http.middleware import MAXIMUM_BODY_BYTES
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.errors import RegistryError
from shared.services.artifact_service import ArtifactService
from tests.integration.http.caller import Caller, problem
from tests.integration.http.conftest import build_registry

SECRET = "postgresql://user:password@db/registry"
JOB = "/api/admin/artifacts/job/j"


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/admin", "/api/admin/x", "/api/health/x", "/docs"]
)
def test_an_unknown_path_is_404(reader: Caller, path: str) -> None:
    problem(reader.get(path), 404, "not-found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_another_method_is_405_and_says_which_is_allowed(reader: Caller, method: str) -> None:
    found = reader.call(method, JOB)
    problem(found, 405, "method-not-allowed")
    assert found.headers["allow"] == "GET"


def test_every_method_that_a_path_answers_to_is_named(reader: Caller) -> None:
    found = reader.call("PUT", "/api/v1/artifacts/00000000-0000-0000-0000-000000000000")
    problem(found, 405, "method-not-allowed")
    assert found.headers["allow"] == "GET, PATCH"


@pytest.mark.parametrize("path", [JOB, "/api/health/live", "/nowhere"])
def test_a_body_over_a_mebibyte_is_refused_first(anonymous: Caller, path: str) -> None:
    for method in ("GET", "POST"):
        found = anonymous.call(method, path, content=b"x" * (MAXIMUM_BODY_BYTES + 1))
        problem(found, 413, "body-too-large")


def test_a_body_of_a_mebibyte_passes(anonymous: Caller) -> None:
    found = anonymous.call("GET", "/api/health/live", content=b"x" * MAXIMUM_BODY_BYTES)
    assert found.status_code == 200


def test_a_body_of_unknown_length_is_counted(anonymous: Caller) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (MAXIMUM_BODY_BYTES // 2)

    problem(anonymous.call("POST", JOB, content=pieces()), 413, "body-too-large")


@pytest.mark.parametrize("fault", [RuntimeError(SECRET), RegistryError(SECRET), OSError(2, SECRET)])
def test_an_unforeseen_error_is_500_logged_and_not_told(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Registry:
        raise fault

    with caplog.at_level(logging.ERROR):
        found = Caller(build_app(fail)).get(JOB)
    told = problem(found, 500, "internal-error")
    assert SECRET not in found.text
    assert SECRET in caplog.text
    assert "Traceback" in caplog.text
    assert told["instance"].removeprefix("urn:uuid:") in caplog.text


def test_a_database_that_is_away_is_503_and_says_when_to_retry(
    broken_database: Database, artifacts: ArtifactService, read_key: str
) -> None:
    registry = build_registry(broken_database, artifacts)
    found = Caller(build_app(lambda: registry), read_key).get(JOB)
    problem(found, 503, "database-unavailable")
    assert int(found.headers["retry-after"]) > 0
    assert "127.0.0.1" not in found.text


def test_a_body_that_nobody_understands_changes_nothing(app: FastAPI, read_key: str) -> None:
    found = Caller(app, read_key).call("GET", JOB, content=b"{not json")
    assert found.status_code == 200


def test_no_answer_may_be_kept_by_a_cache(reader: Caller, anonymous: Caller) -> None:
    for found in (reader.get(JOB), anonymous.get(JOB), anonymous.get("/api/health/live")):
        assert found.headers["cache-control"] == "no-store"
