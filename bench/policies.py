"""What policies cost the database: finding what is due and claiming it, and looking ahead."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.rows import DictRow, dict_row

from bench.policy_actions import acting
from bench.ratio import Ratio
from bench.rounds import median_seconds
from bench.services import registry_database
from shared.database.pool import Database
from shared.database.queries import load_queries
from shared.models.ids import new_id
from shared.models.policies import Policy
from shared.models.policy_runs import Selection
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.repositories.policy_runs import PolicyRunRepository
from shared.services.policies import PolicyService
from shared.services.policy_previews import PolicyPreviews
from shared.services.policy_runs import PAGE

_QUERIES = load_queries(__file__)
_PREVIEWED = 100
_LOOKS = 30
COOL = Policy.model_validate(
    {
        "name": "cool",
        "kind": "archive",
        "target_tier": "Cool",
        "clock": "superseded",
        "age": "P30D",
    }
)


@dataclass(frozen=True)
class Effort:
    """How much there is, and how long to measure."""

    rounds: int
    artifacts: int
    due: int
    blobs: int
    """At the store, in each round."""


FULL = Effort(rounds=3, artifacts=1_000_000, due=100_000, blobs=1_000)
QUICK = Effort(rounds=1, artifacts=2_000, due=200, blobs=50)


def run(effort: Effort) -> list[Ratio]:
    """Measure on an embedded server with fsync on, and on Azurite."""
    with TemporaryDirectory() as directory, registry_database(Path(directory) / "data") as url:
        database = Database(url, size=2, timeout_seconds=60)
        connect = psycopg.Connection[DictRow].connect
        with connect(url, autocommit=True, row_factory=dict_row) as sql:
            try:
                PolicyService(database, _now).put(COOL, UNATTRIBUTED)
                _fill(sql, effort)
                looking = _looking(sql, database)
                return [*looking, _claiming(sql, database, effort), *acting(url, effort.blobs)]
            finally:
                database.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _fill(sql: psycopg.Connection[DictRow], effort: Effort) -> None:
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        sql.execute(_QUERIES["fill"], {"artifacts": effort.artifacts, "due": effort.due})
    sql.execute("VACUUM (ANALYZE)")


def _claiming(sql: psycopg.Connection[DictRow], database: Database, effort: Effort) -> Ratio:
    def update() -> None:
        done = sql.execute(_QUERIES["update_due"], {"cutoff": _now() - COOL.age})
        assert done.rowcount == effort.due

    def claim() -> None:
        assert _claim_all(database) == effort.due

    def clean() -> None:
        for statement in _QUERIES["forget_runs"].split(b";"):
            sql.execute(statement)

    seconds = median_seconds({"update": update, "claim": claim}, effort.rounds, clean)
    rates = {name: effort.due / taken for name, taken in seconds.items()}
    return Ratio(
        f"select and claim {effort.due:,} of {effort.artifacts:,} / one UPDATE of them",
        seconds["update"] / seconds["claim"],
        0.5,
        f"{rates['claim']:,.0f} claimed/s; UPDATE {rates['update']:,.0f}/s",
    )


def _claim_all(database: Database) -> int:
    """Select and claim all that is due, page by page as a run does."""
    with database.connection() as connection, connection.transaction():
        runs = PolicyRunRepository(connection)
        run = runs.begin(new_id(), COOL, Origin("bench"), _now(), is_scheduled=True)
    selection = Selection(run.run_id, COOL.as_json(), is_selecting=True)
    claimed, is_selecting = 0, True
    while is_selecting:
        with database.connection() as connection, connection.transaction():
            runs = PolicyRunRepository(connection)
            page = runs.claim_due(selection, PAGE, _now(), _now())
        claimed += len(page.artifact_ids)
        is_selecting = bool(page.is_selecting)
    return claimed


def _looking(sql: psycopg.Connection[DictRow], database: Database) -> list[Ratio]:
    """A preview's first page, and a tick that finds nothing due, beside pages by primary key."""
    previews = PolicyPreviews(database, _now)

    def preview() -> None:
        assert previews.preview(COOL, limit=_PREVIEWED).candidates

    def page() -> None:
        assert sql.execute(_QUERIES["page"], {"limit": _PREVIEWED}).fetchall()

    def tick() -> None:
        with database.connection() as connection:
            long_ago = _now() - timedelta(days=36500)
            assert not PolicyRunRepository(connection).is_due(COOL.streams, long_ago)

    def one() -> None:
        assert sql.execute(_QUERIES["page"], {"limit": 1}).fetchall()

    for warmed in (preview, page, tick, one):
        warmed()
    seconds = median_seconds({"preview": preview, "page": page, "tick": tick, "one": one}, _LOOKS)
    taken = {name: f"{1000 * each:.2f} ms" for name, each in seconds.items()}
    return [
        Ratio(
            f"primary-key page / preview's first page, {_PREVIEWED} each",
            seconds["page"] / seconds["preview"],
            0.2,
            f"preview {taken['preview']}; page {taken['page']}",
        ),
        Ratio(
            "one row by primary key / a run's start with nothing due",
            seconds["one"] / seconds["tick"],
            None,
            f"start {taken['tick']}; row {taken['one']}",
        ),
    ]
