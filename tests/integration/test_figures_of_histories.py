"""Figures after histories of chance, beside everything else, and of what was there before."""

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Identifier

from shared.database.migrate import MIGRATIONS
from shared.database.pool import Database
from shared.errors import InvalidTransition
from shared.models.figures import Counted, RegistryFigures
from shared.repositories.statistics import StatisticsRepository
from shared.services.artifact_service import ArtifactService
from shared.services.figures import FiguresService
from shared.services.transitions import ContentFacts
from tests.integration.clock import TickingClock
from tests.integration.figuring import BY, counted_figures, told_figures
from tests.integration.registering import create, hash_of

THREADS, ROUNDS = 4, 30
CLIENTS = (None, "a", "b")
TIERS = [None, "Hot", "Cool", "odd"]
PLACE = {"storage_account": "account", "container": "c", "blob_path": "p"}
KINDS = [{}, {"artifact_type": "raster", **PLACE}, {"artifact_type": "x", "storage_backend": "s3"}]
SETTERS = {
    "tier": "storage_tier = (ARRAY['Hot', 'Archive', 'odd'])[%s + 1]",
    "publish": "stage = 'published'",
    "move": "container = 'c' || %s, blob_etag = 'e', observation = coalesce(observation, 0) + 1",
}
WHERE = "disposition = 'live' AND (location_key IS NOT NULL AND content_hash IS NOT NULL OR %s)"
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["register", "begin", "complete", "archive", "delete", "purge", "fold", *SETTERS]
        ),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=25,
)


@pytest.fixture
def figures(database: Database, clock: TickingClock) -> FiguresService:
    return FiguresService(database, clock)


def _new(service: ArtifactService, which: int, what: int, **fields: Any) -> Any:
    size = {} if "processing" in fields else {"size_bytes": what + 1}
    refs: dict[str, Any] = {"client_type": "ab"[which % 2], "client_refs": {"n": which // 2}}
    tier = {"storage_tier": TIERS[which]}
    given: dict[str, Any] = {**refs, **tier, **size, **KINDS[what], **fields}
    return create(service, **given).artifact_id


def _change(
    service: ArtifactService, sql: psycopg.Connection[DictRow], one: Any, action: str, what: int
) -> None:
    try:
        if action == "complete":
            service.complete(one, ContentFacts(content_hash=hash_of("late"), size_bytes=7))
        elif action == "archive":
            service.mark_archived(one)
        elif action == "delete":
            service.mark_deleted(one)
        elif action == "purge":
            purged = "disposition = 'purged', purged_at = now(), updated_at = now()"
            _set(sql, purged, one, "disposition = 'deleted'")
        else:
            where = WHERE.replace("%s", str(action != "move"))
            _set(sql, SETTERS[action].replace("%s", str(what)), one, where)
    except InvalidTransition:
        pass


def _set(sql: psycopg.Connection[DictRow], setter: str, one: Any, where: str) -> None:
    statement = f"UPDATE registry.artifacts SET {setter} WHERE artifact_id = %s AND {where}"  # noqa: S608 - ours
    sql.execute(statement.encode(), [one])


@dataclass(frozen=True)
class _History:
    artifacts: ArtifactService
    database: Database
    sql: psycopg.Connection[DictRow]
    made: list[Any]

    def take(self, action: str, which: int, what: int) -> None:
        if action == "register":
            facts: dict[str, Any] = {"content": str(what), "register_unchanged": True}
            self.made.append(_new(self.artifacts, which, what, **facts))
        elif action == "begin":
            self.made.append(_new(self.artifacts, which, what, processing="pending"))
        elif action == "fold":
            with self.database.connection() as connection:
                StatisticsRepository(connection).fold_changes(most=what + 1, at_least=1)
        elif self.made:
            one = self.made[(which * 7 + what) % len(self.made)]
            _change(self.artifacts, self.sql, one, action, what)


@pytest.mark.parametrize("examples", [20, pytest.param(60, marks=pytest.mark.long)])
def test_whatever_happens_figures_are_what_counting_gives(
    figures: FiguresService,
    artifacts: ArtifactService,
    database: Database,
    sql: psycopg.Connection[DictRow],
    examples: int,
) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(steps=STEPS)
    def are_counted(steps: list[Step]) -> None:
        history = _History(artifacts, database, sql, made=[])
        for step in steps:
            history.take(*step)
        for _ in ("with changes left", "all folded"):
            for client in CLIENTS:
                assert told_figures(figures.get_statistics(client)) == counted_figures(sql, client)
            artifacts.fold_changes()

    are_counted()


def _live(service: ArtifactService, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(ROUNDS):
        which, what = chance.randrange(4), chance.randrange(3)
        made = _new(service, which, what, content=str(chance.randrange(12)))
        if chance.random() < 0.3:
            service.mark_deleted(made)


def _require_consistent(told: RegistryFigures) -> None:
    """Every figure comes to the same, and nothing is less than nothing."""
    everything = {name: getattr(told, name) for name in Counted.model_fields}
    found = told_figures(told)
    for figure in BY:
        values = found[figure].values()
        assert {
            name: sum(getattr(each, name) for each in values) for name in everything
        } == everything
        assert all(0 <= each.deleted_count <= each.artifact_count for each in values)


def test_figures_are_consistent_while_threads_register_delete_and_fold_and_exact_at_the_end(
    database_url: str, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    database = Database(database_url, size=THREADS + 3, timeout_seconds=60)
    service, figures = ArtifactService(database, clock), FiguresService(database, clock)
    writing = threading.Event()
    writing.set()

    def fold() -> int:
        folded = 0
        while writing.is_set():
            with database.connection() as connection:
                folded += StatisticsRepository(connection).fold_changes(most=7, at_least=1)
        return folded

    def read() -> int:
        seen = 0
        while writing.is_set():
            told = figures.get_statistics()
            _require_consistent(told)
            assert told.artifact_count >= seen
            seen = told.artifact_count
        return seen

    with ThreadPoolExecutor(THREADS + 2) as threads:
        beside = [threads.submit(fold), threads.submit(read)]
        try:
            list(threads.map(_live, itertools.repeat(service), range(THREADS)))
        finally:
            writing.clear()
        assert beside[0].result() > 0
        assert beside[1].result() <= THREADS * ROUNDS
    for _ in ("with changes left", "all folded"):
        for client in CLIENTS:
            assert told_figures(figures.get_statistics(client)) == counted_figures(sql, client)
        service.fold_changes()
    database.close()


@pytest.fixture
def earlier_database(postgres: str, unique_name: str) -> Iterator[str]:
    """As every migration before this one leaves a database."""
    name = Identifier(unique_name)
    url = urlunsplit(urlsplit(postgres)._replace(path=f"/{unique_name}"))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(name))
        with psycopg.connect(url, autocommit=True) as earlier:
            for path in sorted(MIGRATIONS.glob("*.sql")):
                if path.stem < "0030":
                    _apply(earlier, path.read_bytes())
        yield url
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _apply(connection: psycopg.Connection[Any], migration: bytes) -> None:
    with connection.transaction():
        connection.execute(migration)


def test_what_was_there_before_is_counted_once(earlier_database: str, clock: TickingClock) -> None:
    database = Database(earlier_database, size=2, timeout_seconds=10)
    service, figures = ArtifactService(database, clock), FiguresService(database, clock)
    connect = psycopg.Connection[DictRow].connect
    with connect(earlier_database, autocommit=True, row_factory=dict_row) as sql:
        _live(service, 1)
        service.fold_changes()
        _live(service, 2)
        assert sql.execute("SELECT FROM registry.artifact_changes").fetchone() is not None
        for path in sorted(MIGRATIONS.glob("*.sql")):
            if path.stem >= "0030":
                _apply(sql, path.read_bytes())
        for _ in ("with notes of before", "all folded"):
            for client in CLIENTS:
                assert told_figures(figures.get_statistics(client)) == counted_figures(sql, client)
            service.fold_changes()
        _live(service, 3)
        assert told_figures(figures.get_statistics()) == counted_figures(sql)
    database.close()
