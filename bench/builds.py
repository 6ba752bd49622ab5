"""What telling of builds and asking about them costs, beside registering an artifact."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

from bench.http_contender import CLIENTS, Contender
from bench.http_data import FilledRegistry, filled_registry
from bench.http_load import host_header, request_bytes
from bench.http_requests import Headers, Route, registration_route
from bench.http_servers import running_worker
from bench.http_worker import WorkerApp
from bench.ratio import Ratio
from bench.rounds import median_seconds
from bench.services import registry_database
from shared.database.queries import load_queries

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Effort:
    """How much there is, and how long to measure."""

    rounds: int
    round_seconds: float
    registered: int
    builds: int
    states: int
    """Of the build that is asked about."""
    artifacts: int
    """Likewise."""


FULL = Effort(
    rounds=15, round_seconds=0.4, registered=10_000, builds=100_000, states=100, artifacts=1_000
)
QUICK = Effort(rounds=1, round_seconds=0.05, registered=200, builds=2_000, states=10, artifacts=20)


def run(effort: Effort) -> list[Ratio]:
    """Measure over HTTP, with one worker, on an embedded server with fsync on."""
    with ExitStack() as running:
        directory = Path(running.enter_context(TemporaryDirectory(prefix="registry-bench-")))
        url = running.enter_context(registry_database(directory / "postgres"))
        registry = filled_registry(url, effort.registered, 1)
        heavy, pending = _fill(url, effort)
        server = running.enter_context(
            running_worker(WorkerApp.REGISTRY, registry.environment, directory)
        )
        contenders = {
            route.name: Contender(route, server, effort.rounds, effort.round_seconds)
            for route in _routes(registry, host_header(server.url), heavy, pending)
        }
        seconds = median_seconds({name: c.run for name, c in contenders.items()}, effort.rounds)
    rates = {name: contenders[name].per_round / taken for name, taken in seconds.items()}
    register, *others = rates
    return [
        Ratio(
            f"{name} / {register}",
            rates[name] / rates[register],
            None,
            f"{rates[name]:,.0f}/s, {register} {rates[register]:,.0f}/s, {CLIENTS} clients",
        )
        for name in others
    ]


def _fill(url: str, effort: Effort) -> tuple[UUID, Iterator[UUID]]:
    """The build that is asked about, and others, of which nothing was told."""
    parameters = {name: getattr(effort, name) for name in ("builds", "states", "artifacts")}
    connect = psycopg.Connection[DictRow].connect
    with connect(url, autocommit=True, row_factory=dict_row) as sql:
        with sql.transaction():
            sql.execute("SET LOCAL session_replication_role = replica")
            for name in ("fill_builds", "fill_states", "fill_artifacts"):
                sql.execute(_QUERIES[name], parameters)
        sql.execute("VACUUM (ANALYZE)")
        heavy = sql.execute("SELECT md5('build 1')::uuid AS run_id").fetchone()
        assert heavy
        pending = sql.execute(_QUERIES["ids_of_builds"], {"count": effort.builds}).fetchall()
    return heavy["run_id"], iter([row["run_id"] for row in pending])


def _routes(
    registry: FilledRegistry, headers: Headers, heavy: UUID, pending: Iterator[UUID]
) -> list[Route]:
    as_key = {**headers, "X-API-Key": registry.key}

    def transition(*, with_artifact: bool) -> bytes:
        build = next(pending)
        body = _state(build, with_artifact=with_artifact)
        return request_bytes("POST", f"/api/builds/{build}/state", as_key, body)

    resumable = f"/api/builds/{heavy}/artifacts?is_resumable=true"
    context = f"/api/builds/{heavy}/resume-context"
    return [
        registration_route(as_key),
        Route("state transition", lambda: transition(with_artifact=False), 201),
        Route("state transition with an artifact", lambda: transition(with_artifact=True), 201),
        Route("resumable artifacts", lambda: request_bytes("GET", resumable, as_key)),
        Route("resume context", lambda: request_bytes("GET", context, as_key)),
    ]


def _state(build: UUID, *, with_artifact: bool) -> bytes:
    told: dict[str, object] = {"state_code": 10, "state_name": "base-image-created"}
    if with_artifact:
        told |= {
            "artifact_storage_type": "s3",
            "artifact_storage_path": f"s3://builds/{build}/state-10/base-image.qcow2",
            "artifact_size_bytes": 2_147_483_648,
            "artifact_checksum": f"sha256:{secrets.token_hex(32)}",
            "artifact_metadata": {"compression": "gzip", "format": "qcow2"},
        }
    return json.dumps(told).encode()
