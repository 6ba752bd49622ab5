"""An inventory may be as long as it is: what is read is forgotten."""

# pyarrow carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from tests.integration.backfilling import row, write_csv

MEBIBYTE = 1024 * 1024
GROWTH = 24 * MEBIBYTE


def write_parquet(path: Path, count: int) -> Path:
    columns: dict[str, list[str]] = {"Name": [], "Etag": [], "Content-Length": []}
    schema = pa.schema([(name, pa.string()) for name in columns])
    with pq.ParquetWriter(path, schema) as writer:
        for begun in range(0, count, 50_000):
            rows = [row("container", f"{number:09}") for number in range(begun, begun + 50_000)]
            some = {name: [each[name] for each in rows] for name in columns}
            writer.write_table(pa.table(some))
    return path


def write_long_csv(path: Path, count: int) -> Path:
    return write_csv(path, (row("container", f"{number:09}") for number in range(count)))


def check_growth(settled: int, peak: int) -> None:
    assert peak - settled < GROWTH, f"{settled / MEBIBYTE:.0f} to {peak / MEBIBYTE:.0f} MiB"


@pytest.mark.parametrize(
    "write", [write_long_csv, pytest.param(write_parquet, marks=pytest.mark.long)]
)
def test_reading_an_inventory_does_not_grow(
    write: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    path = write(tmp_path / "inventory", 200_000)
    script = [sys.executable, "-m", "tests.integration.inventory_memory", str(path)]
    answer = subprocess.run(script, check=True, capture_output=True, text=True)
    blobs, settled, peak = map(int, answer.stdout.split())
    assert blobs == 200_000
    check_growth(settled, peak)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_backfill_of_a_million_rows_does_not_grow(
    tmp_path: Path, database_url: str, azurite: Azurite, sql: psycopg.Connection[DictRow]
) -> None:
    path = write_parquet(tmp_path / "inventory", 1_000_000)
    script = [sys.executable, "-m", "tests.integration.backfill_memory"]
    answer = subprocess.run(
        [*script, database_url, azurite.connection_string, "container", str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    check_growth(*map(int, answer.stdout.split()))
    stored = sql.execute("SELECT count(*) FROM registry.artifacts").fetchone()
    assert stored == {"count": 1_000_000}
