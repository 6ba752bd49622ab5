"""What figures cost the database: all of them, beside one count of the artifacts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.rows import DictRow, dict_row

from bench.ratio import Ratio
from bench.rounds import median_seconds
from bench.services import registry_database
from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.services.artifact_service import ArtifactService
from shared.services.figures import FiguresService

_QUERIES = load_queries(__file__)
_LIMIT_SECONDS = 0.05
_TARGET = 1.0


@dataclass(frozen=True)
class Effort:
    """How much there is, and how long to measure."""

    rounds: int
    artifacts: int
    waiting: int
    """Changes that wait to be folded; with one more, they would be folded first."""


FULL = Effort(rounds=30, artifacts=1_000_000, waiting=9_999)
QUICK = Effort(rounds=1, artifacts=2_000, waiting=20)


def run(effort: Effort) -> list[Ratio]:
    """Measure on an embedded server with fsync on."""
    with TemporaryDirectory() as directory, registry_database(Path(directory) / "data") as url:
        database = Database(url, size=2, timeout_seconds=60)
        connect = psycopg.Connection[DictRow].connect
        with connect(url, autocommit=True, row_factory=dict_row) as sql:
            try:
                return measure(sql, database, effort)
            finally:
                database.close()


def measure(sql: psycopg.Connection[DictRow], database: Database, effort: Effort) -> list[Ratio]:
    """All figures with nothing left to fold, and with as much as a reader ever adds up."""
    sql.execute(_QUERIES["fill"], {"artifacts": effort.artifacts})
    ArtifactService(database, _now).fold_changes()
    sql.execute("VACUUM (ANALYZE)")
    figures = FiguresService(database, _now)

    def read() -> None:
        assert figures.get_statistics(days=366).artifact_count >= effort.artifacts

    def count() -> None:
        row = sql.execute(_QUERIES["count"]).fetchone()
        assert row
        assert row["artifacts"] == effort.artifacts

    def count_alike() -> None:
        assert sql.execute(_QUERIES["count_alike"]).fetchall()

    told = [
        _compared("one indexed count / all figures", read, count, effort),
        _compared("bytes by tier, counted / all figures", read, count_alike, effort),
    ]
    sql.execute(_QUERIES["note_again"], {"changes": effort.waiting})
    name = f"one indexed count / all figures, {effort.waiting:,} changes not folded"
    return [*told, replace(_compared(name, read, count, effort), target=None)]


def _compared(
    name: str, read: Callable[[], None], count: Callable[[], None], effort: Effort
) -> Ratio:
    read()
    count()
    seconds = median_seconds({"figures": read, "count": count}, effort.rounds)
    within = "within" if seconds["figures"] < _LIMIT_SECONDS else "over"
    return Ratio(
        f"{name}, {effort.artifacts:,} artifacts",
        seconds["count"] / seconds["figures"],
        _TARGET,
        f"figures {1000 * seconds['figures']:.1f} ms ({within} {1000 * _LIMIT_SECONDS:.0f} ms); "
        f"count {1000 * seconds['count']:.1f} ms",
    )


def _now() -> datetime:
    return datetime.now(UTC)
