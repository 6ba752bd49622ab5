"""How fast a thousand artifacts are registered in one call, against one plain insert of as many."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from bench.http_data import FilledRegistry, filled_registry
from bench.http_load import Load, host_header, request_bytes
from bench.http_requests import registration_body
from bench.http_servers import running_worker
from bench.http_worker import WorkerApp
from bench.ratio import Ratio
from bench.rounds import median_seconds
from bench.services import registry_database
from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.models.artifacts import ArtifactRegistration
from shared.models.ids import new_id
from shared.services.artifact_service import ArtifactService

TARGET = 0.5

_QUERIES = load_queries(__file__)
_SHARED = {
    *("storage_backend", "storage_account", "container", "storage_tier"),
    *("size_bytes", "content_type", "artifact_type"),
}
"""What all registrations of a batch have in common: given once to the plain insert."""


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    artifacts: int
    """Of each batch."""
    rows_before: int


FULL = Effort(rounds=15, artifacts=1000, rows_before=10_000)
QUICK = Effort(rounds=1, artifacts=20, rows_before=40)


def run(effort: Effort) -> list[Ratio]:
    """Measure on an embedded server with fsync on."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-bench-") as directory,
        registry_database(Path(directory) / "postgres") as url,
    ):
        return measure(url, effort, Path(directory))


def measure(database_url: str, effort: Effort, directory: Path) -> list[Ratio]:
    """Measure on a migrated database; the worker's log goes into a directory."""
    registry = filled_registry(database_url, effort.rows_before, samples=1)
    database = Database(database_url, size=1, timeout_seconds=60)
    try:
        with running_worker(WorkerApp.REGISTRY, registry.environment, directory) as server:
            contender = _Contender(database, registry, server.url, effort)
            variants = {
                "service": contender.register,
                "plain": contender.insert,
                "http": contender.post,
            }
            for warm_up in variants.values():
                warm_up()
            seconds = median_seconds(variants, effort.rounds)
    finally:
        database.close()
    return _ratios(seconds, effort.artifacts)


def _ratios(seconds: dict[str, float], artifacts: int) -> list[Ratio]:
    rates = {name: f"{artifacts / taken:,.0f}/s" for name, taken in seconds.items()}

    def ratio(name: str, variant: str, target: float | None) -> Ratio:
        details = f"{rates[variant]}, INSERT {rates['plain']}"
        return Ratio(name, seconds["plain"] / seconds[variant], target, details)

    return [
        ratio(f"register_batch of {artifacts:,} / INSERT … unnest", "service", TARGET),
        ratio(f"POST of a batch of {artifacts:,} / INSERT … unnest", "http", None),
    ]


class _Contender:
    """Ways to store a batch. What a caller has at hand before it asks is made beforehand."""

    def __init__(
        self, database: Database, registry: FilledRegistry, url: str, effort: Effort
    ) -> None:
        self._database = database
        self._service = ArtifactService(database, lambda: datetime.now(UTC))
        self._url = url
        count, batches = effort.artifacts, effort.rounds + 1
        headers = {**host_header(url), "X-API-Key": registry.key}
        self._registrations = [_registrations(count) for _ in range(batches)]
        self._rows = [plain_rows(count) for _ in range(batches)]
        self._requests = [_request(count, headers) for _ in range(batches)]

    def register(self) -> None:
        """Each for itself, as a pipeline would have it."""
        items = self._service.register_batch(self._registrations.pop(), atomic=False)
        assert all(item.registration for item in items)

    def insert(self) -> None:
        insert_rows(self._database, self._rows.pop())

    def post(self) -> None:
        with Load(self._url, connections=1) as load:
            load.send([self._requests.pop()])


def _registrations(count: int) -> list[ArtifactRegistration]:
    return [ArtifactRegistration.model_validate_json(registration_body()) for _ in range(count)]


def _request(count: int, headers: dict[str, str]) -> bytes:
    body = {"artifacts": [json.loads(registration_body()) for _ in range(count)]}
    return request_bytes("POST", "/api/v1/artifacts/batch", headers, json.dumps(body).encode())


def insert_rows(database: Database, rows: Mapping[str, Any]) -> None:
    """One `INSERT … unnest` into assets, and one into artifacts, with nothing of ours around."""
    with database.connection() as connection:
        connection.execute(_QUERIES["insert"], rows)


def plain_rows(count: int) -> dict[str, Any]:
    """A list for each column in which rows differ, one value for each in which they do not."""
    registrations = _registrations(count)
    differing = {
        "asset_ids": [new_id() for _ in registrations],
        "client_refs": [Jsonb(each.client_refs) for each in registrations],
        "artifact_ids": [new_id() for _ in registrations],
        "blob_paths": [each.blob_path for each in registrations],
        "blob_etags": [each.blob_etag for each in registrations],
        "uris": [each.uri for each in registrations],
        "content_hashes": [each.content_hash for each in registrations],
        "metadata": [Jsonb(each.metadata) for each in registrations],
    }
    common = registrations[0].model_dump(include=_SHARED)
    return {**differing, **common, "created_at": datetime.now(UTC)}
