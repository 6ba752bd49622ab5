"""How fast the command registers what an inventory report lists, without hashing anything."""

import csv
import json
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.batch import insert_rows, plain_rows
from bench.ratio import Ratio
from bench.rounds import median_seconds
from bench.upload_services import UploadServices, upload_services
from devhost.stack.app_process import PROJECT
from shared.database.pool import Database

WANTED_PER_SECOND = 5_000

_BATCH = 1_000
_CONNECTIONS = 2
"""As many as a backfill keeps busy, and as this machine has processors."""


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    blobs: int
    """Of each report."""


FULL = Effort(rounds=3, blobs=30_000)
QUICK = Effort(rounds=1, blobs=1_000)


def run(effort: Effort) -> list[Ratio]:
    """Measure on an embedded server with fsync on."""
    with upload_services() as services:
        database = Database(services.database_url, size=_CONNECTIONS, timeout_seconds=60)
        try:
            seconds = _seconds(services, database, effort)
        finally:
            database.close()
    rate, plain = effort.blobs / seconds["backfill"], effort.blobs / seconds["plain"]
    told = f"{rate:,.0f} blobs/s, the command's start included; INSERT {plain:,.0f}/s"
    return [
        Ratio(f"backfill / {WANTED_PER_SECOND:,} blobs/s", rate / WANTED_PER_SECOND, 1.0, told),
        Ratio(f"backfill / INSERT … unnest, {_CONNECTIONS} connections", rate / plain, None, told),
    ]


def _seconds(services: UploadServices, database: Database, effort: Effort) -> dict[str, float]:
    folder = services.log.parent
    container = services.container
    reports = [
        _report(folder / f"{number}.csv", container, effort.blobs)
        for number in range(effort.rounds)
    ]
    batches = effort.blobs // _BATCH
    rows = [[plain_rows(_BATCH) for _ in range(batches)] for _ in range(effort.rounds)]

    def insert() -> None:
        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            list(threads.map(partial(insert_rows, database), rows.pop()))

    variants = {
        "backfill": lambda: _backfill(services, reports.pop(), effort.blobs),
        "plain": insert,
    }
    return median_seconds(variants, effort.rounds)


def _report(path: Path, container: str, blobs: int) -> Path:
    """As Azure Blob Inventory writes it, with the columns that a backfill needs."""
    folder = secrets.token_hex(8)
    with path.open("w", newline="", encoding="utf-8") as file:
        report = csv.writer(file)
        report.writerow(["Name", "Content-Length", "Content-Type", "Etag", "AccessTier"])
        for number in range(blobs):
            etag = f"0x8D{secrets.token_hex(6).upper()}"
            report.writerow(
                [f"{container}/{folder}/{number:07}.tif", 123_456, "image/tiff", etag, "Hot"]
            )
    return path


def _backfill(services: UploadServices, report: Path, blobs: int) -> None:
    command = [
        *(sys.executable, "-m", "cli.registry", "backfill", services.container),
        *("--inventory", str(report), "--hash", "never", "-o", "json"),
    ]
    run = subprocess.run(
        command,
        cwd=PROJECT,
        env=services.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    assert json.loads(run.stdout)["created"] == blobs, run.stdout
