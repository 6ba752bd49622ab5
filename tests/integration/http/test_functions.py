"""The surfaces as the host calls them: genuine requests through `AsgiMiddleware`."""

import asyncio
import json
import threading
from typing import Any
from urllib.parse import unquote

import azure.functions as func
import pytest
from fastapi import FastAPI

from devhost.host.context import TraceContext
from devhost.host.paths import decode_path, encode_path
from functions.http import surfaces
from functions.http.middleware import MAXIMUM_BODY_BYTES
from shared.bootstrap import Registry
from shared.models.build_catalogues import ProjectRequest
from shared.models.registrations import Origin
from shared.services.artifact_service import ArtifactService
from tests.integration.test_registration import create

JOB = "/api/admin/artifacts/job"


class HostContext(func.Context):
    """What the application reads of an invocation; the rest is empty, as the dev host's is."""

    invocation_id: Any = "5d0e6c2a-1c4b-4a55-9d53-6c1f0d1f2b3a"
    function_name: Any = "admin"
    function_directory: Any = ""
    thread_local_storage: Any = None
    trace_context: Any = TraceContext()
    retry_context: Any = None


class Host:
    """Hands requests over as the host does: path decoded once and written anew."""

    def __init__(self, app: FastAPI, key: str) -> None:
        self._middleware = func.AsgiMiddleware(app)
        self._key = key

    def send(self, target: str, *, method: str = "GET", body: bytes = b"") -> func.HttpResponse:
        path, _, query = target.partition("?")
        url = f"http://registry.example{encode_path(decode_path(path.encode()))}?{query}"
        return self.send_url(url, method=method, body=body)

    def send_url(self, url: str, *, method: str = "GET", body: bytes = b"") -> func.HttpResponse:
        request = func.HttpRequest(method, url, headers={"x-api-key": self._key}, body=body)
        return asyncio.run(surfaces.serve(self._middleware, request, HostContext()))


@pytest.fixture
def host(app: FastAPI, read_key: str) -> Host:
    return Host(app, read_key)


def told(response: func.HttpResponse) -> dict[str, Any]:
    return json.loads(response.get_body())


def test_each_surface_is_a_function_with_its_own_catch_all() -> None:
    app = func.FunctionApp()
    app.register_functions(surfaces.bp)
    described = [json.loads(str(function)) for function in app.get_functions()]
    triggers = [function["bindings"][0] for function in described]
    assert [trigger["route"] for trigger in triggers] == [
        "api/admin/{*path}",
        "api/v1/{*path}",
        "api/builds/{*path}",
        "api/docs/{*path}",
        "api/health/{*path}",
        "api/openapi.json",
    ]
    for trigger in triggers:
        assert trigger["authLevel"].lower() == "anonymous"
        assert len(trigger["methods"]) == len(func.HttpMethod)


def test_a_request_of_the_hosts_is_answered(host: Host, artifacts: ArtifactService) -> None:
    made = create(artifacts, "a", source_job_id="job-1")
    found = host.send(f"{JOB}/job-1?limit=5")
    assert (found.status_code, found.mimetype) == (200, "application/json")
    assert told(found)["artifacts"][0]["artifact_id"] == str(made.artifact_id)


@pytest.mark.parametrize(
    ("written", "job_id"),
    [
        ("a%2Fb", "a/b"),
        ("a%3Bb", "a;b"),
        ("a;b;c", "a;b;c"),
        ("run%201", "run 1"),
        ("gr%C3%B6%C3%9Fe", "größe"),
        ("a%3Fb%23c", "a?b#c"),
        ("50%25", "50%"),
        ("a+b:c", "a+b:c"),
    ],
)
def test_a_path_arrives_whole(
    host: Host, artifacts: ArtifactService, written: str, job_id: str
) -> None:
    create(artifacts, "a", source_job_id=job_id)
    found = told(host.send(f"{JOB}/{written}"))
    assert (found["job_id"], found["count"]) == (job_id, 1)


@pytest.mark.parametrize("written", ["team/images", "team%2Fimages", "team%2fimages%2F"])
def test_the_states_of_a_project_whose_name_has_slashes_are_found(
    host: Host, registry: Registry, written: str
) -> None:
    name = unquote(written)
    registry.builds.projects.put(name, ProjectRequest(), Origin("test"))
    assert told(host.send(f"/api/builds/projects/{written}"))["name"] == name


def test_a_slash_at_the_end_counts_for_nothing(host: Host) -> None:
    assert host.send("/api/health/live/").status_code == 200
    assert told(host.send(f"{JOB}/j/"))["job_id"] == "j"


def test_head_is_answered_like_get(host: Host) -> None:
    assert host.send("/api/health/live", method="HEAD").status_code == 200


def test_a_wrong_method_gets_the_applications_405(host: Host) -> None:
    found = host.send(f"{JOB}/j", method="DELETE")
    assert (found.status_code, found.headers["allow"]) == (405, "GET")


def test_problems_name_the_hosts_invocation(host: Host) -> None:
    found = host.send("/api/admin/nothing")
    assert found.status_code == 404
    assert found.mimetype == "application/problem+json"
    assert told(found)["instance"] == f"urn:uuid:{HostContext.invocation_id}"


def test_a_large_body_is_refused(host: Host) -> None:
    found = host.send("/api/health/live", body=b"x" * (MAXIMUM_BODY_BYTES + 1))
    assert found.status_code == 413


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example/api/admin/artifacts/%FF",
        "http://registry.example:port/api/health/live",
        "http://[::1/api/health/live",
    ],
)
def test_a_url_that_cannot_be_read_is_400_and_no_crash(host: Host, url: str) -> None:
    found = host.send_url(url)
    assert (found.status_code, found.mimetype) == (400, "application/problem+json")
    assert told(found)["instance"] == f"urn:uuid:{HostContext.invocation_id}"


def test_requests_that_wait_do_not_hold_up_others(app: FastAPI) -> None:
    """One event loop serves a worker: a route that blocked it would block every function."""
    registry = app.state.registry
    waiting, go_on = threading.Event(), threading.Event()

    def hanging() -> Any:
        waiting.set()
        go_on.wait(30)
        return registry()

    app.state.registry = hanging
    middleware = func.AsgiMiddleware(app)

    async def both() -> list[int]:
        slow = asyncio.create_task(_ask(middleware, f"{JOB}/j"))
        await asyncio.to_thread(waiting.wait, 30)
        quick = await _ask(middleware, "/api/health/live")
        go_on.set()
        return [quick.status_code, (await slow).status_code]

    assert asyncio.run(both()) == [200, 401]


async def _ask(middleware: func.AsgiMiddleware, path: str) -> func.HttpResponse:
    request = func.HttpRequest("GET", f"http://registry.example{path}", body=b"")
    return await surfaces.serve(middleware, request, HostContext())
