"""How long a chain takes to be read, against the plain recursive query that finds the same rows."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from bench.http_data import fill
from bench.http_requests import registration_body
from bench.ratio import Ratio
from bench.rounds import median_seconds
from bench.services import registry_database
from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.models.artifacts import ArtifactRegistration
from shared.models.chains import Direction
from shared.services.artifact_service import ArtifactService

TARGET = 1 / 3

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Effort:
    """How long to measure, on which chain."""

    rounds: int
    revisions: int
    rows_before: int


FULL = Effort(rounds=25, revisions=1000, rows_before=10_000)
QUICK = Effort(rounds=1, revisions=10, rows_before=40)


def run(effort: Effort) -> list[Ratio]:
    """Measure on an embedded server with fsync on."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-bench-") as directory,
        registry_database(Path(directory) / "postgres") as url,
    ):
        return measure(url, effort)


def measure(database_url: str, effort: Effort) -> list[Ratio]:
    """Measure on an empty, migrated database."""
    database = Database(database_url, size=1, timeout_seconds=60)
    try:
        fill(database, effort.rows_before)
        service = ArtifactService(database, lambda: datetime.now(UTC))
        chain = _make_chain(service, effort.revisions)
        middle = chain[len(chain) // 2]
        return [
            _compare(database, service, chain[0], Direction.FORWARD, effort),
            _compare(database, service, middle, Direction.BOTH, effort),
        ]
    finally:
        database.close()


def _make_chain(service: ArtifactService, revisions: int) -> list[UUID]:
    first = ArtifactRegistration.model_validate_json(registration_body())
    again = first.model_copy(update={"overwrite": True, "register_unchanged": True})
    return [service.register(again).artifact.artifact_id for _ in range(revisions)]


def _compare(
    database: Database,
    service: ArtifactService,
    artifact_id: UUID,
    direction: Direction,
    effort: Effort,
) -> Ratio:
    plain = partial(_read_plainly, database, artifact_id, direction)

    def ours() -> list[UUID]:
        chain = service.get_supersession_chain(artifact_id, direction, limit=effort.revisions)
        return [artifact.artifact_id for artifact in chain.artifacts]

    found = ours()
    assert found == plain()
    assert len(found) == effort.revisions
    seconds = median_seconds({"ours": ours, "plain": plain}, effort.rounds)
    told = f"{seconds['ours'] * 1000:.1f} ms as artifacts, {seconds['plain'] * 1000:.1f} ms as rows"
    name = f"chain of {effort.revisions:,}, {direction} / recursive query"
    return Ratio(name, seconds["plain"] / seconds["ours"], TARGET, told)


def _read_plainly(database: Database, artifact_id: UUID, direction: Direction) -> list[UUID]:
    with database.connection() as connection:
        rows = connection.execute(_QUERIES[direction], {"artifact_id": artifact_id}).fetchall()
    return [row["artifact_id"] for row in rows]
