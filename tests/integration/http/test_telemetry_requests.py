"""What a request does belongs to the trace that the host began for it."""

import asyncio
import json
from collections.abc import Iterator

import azure.functions as func
import pytest
from fastapi import FastAPI

from devhost.host.context import TraceContext
from functions.http import surfaces
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.collecting import Collected, collecting, context_of
from tests.integration.http.test_functions import HostContext

TRACE = "0af7651916cd43dd8448eb211c80319c"
BODY = {"client_type": "ddh", "client_refs": {"name": "a"}, "content_hash": "1220" + "ab" * 32}


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    with collecting(monkeypatch) as collected:
        yield collected


class Traced(HostContext):
    trace_context = TraceContext(f"00-{TRACE}-b7ad6b7169203331-01")
    function_name = "artifacts"


def test_a_registration_over_http_goes_on_with_the_trace_of_its_request(
    app: FastAPI, registry: Registry, collected: Collected
) -> None:
    key = registry.keys.create("writer", [Scope.WRITE]).text
    request = func.HttpRequest(
        "POST",
        "http://registry.example/api/v1/artifacts",
        headers={"x-api-key": key, "content-type": "application/json"},
        body=json.dumps(BODY).encode(),
    )
    answer = asyncio.run(surfaces.serve(func.AsgiMiddleware(app), request, Traced()))
    assert answer.status_code == 201, answer.get_body()
    steps = collected.spans
    traces = {name: f"{context_of(step).trace_id:032x}" for name, step in steps.items()}
    assert set(traces.values()) == {TRACE}, traces
    (made,) = [step for name, step in steps.items() if name.startswith("register artifact")]
    assert made.parent is not None
    assert made.parent.span_id == context_of(steps["artifacts"]).span_id
    assert not [step for step in steps.values() if "registry.example" in step.to_json()]
    (told,) = collected.metrics()["http.server.request.duration"]
    assert ("http.route", "/api/v1/artifacts") in told
