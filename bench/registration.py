"""How fast artifacts are registered, against plain inserts of the same rows."""

import secrets
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from psycopg.types.json import Jsonb

from bench.ratio import Ratio
from bench.rounds import median_seconds
from bench.services import registry_database
from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.models.artifacts import ArtifactRegistration
from shared.models.content_hash import content_hash_of
from shared.models.ids import new_id
from shared.services.artifact_service import ArtifactService

TARGET = 0.5
THREADS = (1, 8)

_QUERIES = load_queries(__file__)

Asset = Literal["new", "same"]
"""A new asset for each registration, or one asset a thread whose revisions supersede each other."""


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    per_round: int
    """Registrations of each thread in a round, and as many plain inserts."""
    rows_before: int
    """Rows that the table holds beforehand."""


FULL = Effort(rounds=25, per_round=60, rows_before=2000)
QUICK = Effort(rounds=3, per_round=10, rows_before=200)


def run(effort: Effort) -> list[Ratio]:
    """Measure on an embedded server with fsync on."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-bench-") as directory,
        registry_database(Path(directory) / "postgres") as url,
    ):
        return measure(url, effort)


def measure(database_url: str, effort: Effort) -> list[Ratio]:
    """Measure on a migrated database; its commits decide what "durable" means here."""
    _fill(database_url, effort.rows_before)
    ratios: list[Ratio] = []
    for threads in THREADS:
        database = Database(database_url, size=threads, timeout_seconds=60)
        try:
            ratios += [_compare(database, threads, effort, asset) for asset in ("new", "same")]
        finally:
            database.close()
    return ratios


def _fill(database_url: str, rows: int) -> None:
    """Put rows into the table, on a connection that is closed again.

    Sessions keep the plans that they made first: on a table known to be empty, those are scans
    of all of it, which cost registering more with each row that is added.
    """
    database = Database(database_url, size=1, timeout_seconds=60)
    try:
        _Contender(database, 1, Effort(0, rows, 0), "new").insert(0)
        with database.connection() as connection:
            connection.execute(_QUERIES["analyze"])
    finally:
        database.close()


def _compare(database: Database, threads: int, effort: Effort, asset: Asset) -> Ratio:
    contender = _Contender(database, threads, effort, asset)
    with ThreadPoolExecutor(threads) as executor:

        def on_all(work: Callable[[int], None]) -> None:
            list(executor.map(work, range(threads)))

        variants = {
            "ours": lambda: on_all(contender.register),
            "plain": lambda: on_all(contender.insert),
        }
        for warm_up in variants.values():
            warm_up()
        seconds = median_seconds(variants, effort.rounds)
    calls = threads * effort.per_round
    details = f"{calls / seconds['ours']:,.0f}/s, INSERT {calls / seconds['plain']:,.0f}/s"
    kind = "new assets" if asset == "new" else "superseding"
    of = "1 connection" if threads == 1 else f"{threads} connections"
    name = f"register, {kind}, {of} / INSERT … RETURNING"
    return Ratio(name, seconds["plain"] / seconds["ours"], TARGET, details)


class _Contender:
    """Both ways to store rows, of which thread `n` stores `per_round` at each call.

    What a caller has at hand before it asks is made beforehand: registrations for the one way,
    rows and their assets for the other.
    """

    def __init__(self, database: Database, threads: int, effort: Effort, asset: Asset) -> None:
        self._database = database
        self._service = ArtifactService(database, lambda: datetime.now(UTC))
        self._per_round = effort.per_round
        count = effort.per_round * (effort.rounds + 1)
        self._registrations = [_registrations(count, asset) for _ in range(threads)]
        self._rows = [[_row(r) for r in _registrations(count, asset)] for _ in range(threads)]
        with database.connection() as connection:
            for rows in self._rows:
                asset_ids = [row["asset_id"] for row in rows]
                connection.execute(_QUERIES["make_assets"], {"asset_ids": asset_ids})
            connection.execute(_QUERIES["analyze"])

    def register(self, thread: int) -> None:
        for _ in range(self._per_round):
            self._service.register(self._registrations[thread].pop())

    def insert(self, thread: int) -> None:
        """On one connection of the same pool, held: the insert is not to pay for check-outs."""
        with self._database.connection() as connection:
            for _ in range(self._per_round):
                row = self._rows[thread].pop()
                assert connection.execute(_QUERIES["insert"], row).fetchone() is not None


def _registrations(count: int, asset: Asset) -> list[ArtifactRegistration]:
    """What a pipeline says of a raster; no two of them have the same bytes."""
    dataset = secrets.token_hex(8)
    return [
        _registration(dataset, number if asset == "new" else 0, secrets.token_hex(32))
        for number in range(count)
    ]


def _registration(dataset: str, part: int, sha256: str) -> ArtifactRegistration:
    path = f"{dataset}/{part}.tif"
    return ArtifactRegistration(
        client_type="bench",
        client_refs={"dataset": dataset, "part": part},
        overwrite=True,
        storage_backend="azure_blob",
        storage_account="account",
        container="uploads",
        blob_path=path,
        blob_etag=sha256[:17],
        uri=f"https://account.blob.core.windows.net/uploads/{path}",
        storage_tier="Hot",
        content_hash=content_hash_of(bytes.fromhex(sha256)),
        size_bytes=123_456,
        content_type="image/tiff",
        artifact_type="raster",
        metadata={"crs": "EPSG:4326", "bands": 3},
    )


def _row(registration: ArtifactRegistration) -> dict[str, Any]:
    """The row that a registration comes to, for an asset of its own."""
    return {
        **registration.model_dump(mode="json"),
        "metadata": Jsonb(registration.metadata),
        "artifact_id": new_id(),
        "asset_id": new_id(),
        "created_at": datetime.now(UTC),
    }
