"""MLflow's tracking server, on PostgreSQL, asked in each way that could be its best."""

import json
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

import psycopg

from bench.http_data import sampled_hashes
from bench.http_load import Load, UnexpectedAnswer, host_header, request_bytes
from bench.http_requests import Route
from bench.http_servers import Server, ServerFailed, running_server
from bench.peer import Asked, Peer
from bench.peer_environment import peer_python
from bench.services import foreign_database
from devhost.stack.ports import LOOPBACK, free_port
from shared.database.queries import load_queries

_WORKERS = (1, 4)
"""One process as ours is, and MLflow's own default."""
_REQUIREMENTS = Path(__file__).with_name("peers-mlflow.txt")
_PYTHON = "3.11"
_QUERIES = load_queries(__file__)
_FILLED = ("models", "model_tags", "versions", "version_tags", "runs", "run_tags")
_START_SECONDS = 180.0
_POLL_SECONDS = 0.2
_API = "/api/2.0/mlflow"
_SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # processes that would take from its speed
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def start(server_url: str, artifacts: int, directory: Path, running: ExitStack) -> Peer:
    """On one database of so many models, versions and runs; raises PeerMissing."""
    python = peer_python(_REQUIREMENTS, _PYTHON)
    url = running.enter_context(foreign_database(server_url))
    servers = {
        f"{workers} worker{'s' if workers > 1 else ''}": running.enter_context(
            _server(python, url, workers, directory)
        )
        for workers in _WORKERS
    }
    _fill(url, artifacts)
    return Peer(
        "MLflow",
        [each for name in servers for each in _registrations(servers[name], name, artifacts)],
        register_target=5.0,
        searches=[each for name in servers for each in _searches(servers[name], name, artifacts)],
        search_target=50.0,
    )


def _registrations(server: Server, name: str, artifacts: int) -> list[Asked]:
    """Ways to register something with a content hash that can be searched for."""
    models = cycle(range(1, artifacts + 1))

    def asked(path: str, members: Callable[[], Mapping[str, Any]]) -> Asked:
        def make() -> bytes:
            return _post(server, path, {**members(), "tags": _tags()})

        return Asked(server, Route(f"{path}, {name}", make))

    return [
        asked("registered-models/create", lambda: {"name": token_hex(16)}),
        asked("model-versions/create", lambda: _version_of(next(models))),
        asked("runs/create", lambda: {"experiment_id": "0"}),
    ]


def _searches(server: Server, name: str, artifacts: int) -> list[Asked]:
    hashes = cycle(sampled_hashes(artifacts))
    models, versions = "registered-models/search", "model-versions/search"
    makers = {
        models: lambda: _search(server, models, next(hashes)),
        versions: lambda: _search(server, versions, next(hashes)),
        "runs/search": lambda: _search_runs(server, next(hashes)),
    }
    return [Asked(server, Route(f"{path}, {name}", make)) for path, make in makers.items()]


@contextmanager
def _server(python: Path, database_url: str, workers: int, directory: Path) -> Generator[Server]:
    port = free_port()
    command = [
        *(str(python), "-m", "mlflow", "server", "--host", LOOPBACK, "--port", str(port)),
        *("--backend-store-uri", database_url.replace("://", "+psycopg2://", 1)),
        *("--default-artifact-root", str(directory / "mlflow"), "--no-serve-artifacts"),
        *("--workers", str(workers), "--uvicorn-opts", "--log-level warning"),
    ]
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"  # it starts uvicorn by its name
    environment = {**os.environ, **_SETTINGS, "PATH": path}
    url, log = f"http://{LOOPBACK}:{port}", directory / f"mlflow-{workers}.log"
    with running_server(command, url, environment, log, _START_SECONDS) as server:
        _wait_until_healthy(server)
        yield server


def _wait_until_healthy(server: Server) -> None:
    """Its port may be open long before anybody answers there."""
    health = request_bytes("GET", "/health", host_header(server.url))
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with Load(server.url, connections=1) as load:
                load.send([health])
        except (OSError, UnexpectedAnswer) as fault:
            if time.monotonic() > deadline:
                raise ServerFailed("MLflow does not answer.") from fault
            time.sleep(_POLL_SECONDS)
        else:
            return


def _fill(database_url: str, artifacts: int) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in _FILLED:
            connection.execute(_QUERIES[f"fill_{name}"], {"artifacts": artifacts})
        connection.execute(_QUERIES["vacuum"])


def _post(server: Server, path: str, body: Mapping[str, Any]) -> bytes:
    headers = host_header(server.url)
    return request_bytes("POST", f"{_API}/{path}", headers, json.dumps(body).encode())


def _tags() -> list[dict[str, str]]:
    hashed, dataset = token_hex(32), token_hex(16)
    return [{"key": "content_hash", "value": hashed}, {"key": "dataset_id", "value": dataset}]


def _version_of(model: int) -> dict[str, str]:
    return {"name": f"model-{model}", "source": f"s3://uploads/{token_hex(16)}.tif"}


def _search(server: Server, path: str, content_hash: str) -> bytes:
    wanted = {"filter": f"tag.content_hash = '{content_hash}'", "max_results": "10"}
    return request_bytes("GET", f"{_API}/{path}?{urlencode(wanted)}", host_header(server.url))


def _search_runs(server: Server, content_hash: str) -> bytes:
    wanted = f"tags.content_hash = '{content_hash}'"
    body = {"experiment_ids": ["0"], "filter": wanted, "max_results": 10}
    return _post(server, "runs/search", body)
