"""Figures by value: exact at every instant, whatever was folded."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import InvalidInput, Retryable
from shared.models.figures import Counted, CountedDay, RegistryFigures
from shared.repositories.statistics import StatisticsRepository
from shared.services import figures as service
from shared.services import statistics
from shared.services.artifact_service import ArtifactService
from shared.services.figures import FiguresService
from shared.services.transitions import ContentFacts
from tests.integration.clock import TickingClock
from tests.integration.figuring import BY, counted_figures, told_figures
from tests.integration.registering import create

BIGGEST = 2**63 - 1
PLACE = {"storage_account": "account", "container": "uploads"}


@pytest.fixture
def figures(database: Database, clock: TickingClock) -> FiguresService:
    return FiguresService(database, clock)


def some_of_each(service: ArtifactService, client_type: str) -> None:
    def made(name: str, **fields: Any) -> Any:
        given: dict[str, Any] = {"client_refs": {"name": name}, "size_bytes": 1000}
        return create(service, client_type=client_type, **(given | fields)).artifact_id

    made("superseded", storage_tier="Hot", artifact_type="raster", storage_backend="azure_blob")
    made("superseded", stage="published", blob_path="p", **PLACE)
    made("pending", processing="pending", storage_tier="odd", uri="s3://bucket/key")
    service.mark_archived(made("archived", artifact_type="vector"))
    service.mark_deleted(made("deleted", blob_path="q", storage_account="other", container="c"))


def test_every_figure_is_what_counting_gives_before_folding_and_after(
    figures: FiguresService, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    some_of_each(artifacts, "ddh")
    some_of_each(artifacts, "other")
    for _ in ("before folding", "after"):
        for client_type in (None, "ddh", "other"):
            told = figures.get_statistics(client_type)
            assert told_figures(told) == counted_figures(sql, client_type)
            assert told.client_type == client_type
        artifacts.fold_changes()
    told = figures.get_statistics("ddh")
    assert (told.artifact_count, told.size_bytes) == (5, 5000)
    assert (told.deleted_count, told.deleted_bytes) == (1, 1000)
    containers = [(each.value, each.deleted_count) for each in told.by_container.values]
    assert containers == [(None, 0), ("account/uploads", 0), ("other/c", 1)]
    assert {each.value for each in told.by_tier.values} == {None, "Hot", "odd"}


def test_folding_in_small_steps_keeps_every_figure_exact_between_them(
    figures: FiguresService,
    artifacts: ArtifactService,
    database: Database,
    sql: psycopg.Connection[DictRow],
) -> None:
    some_of_each(artifacts, "ddh")
    expected = counted_figures(sql)
    with database.connection() as connection:
        steps = 0
        while StatisticsRepository(connection).fold_changes(most=1, at_least=1):
            connection.commit()
            steps += 1
            for client_type in (None, "ddh"):
                assert told_figures(figures.get_statistics(client_type)) == expected
    assert steps == 8


def test_what_comes_with_completion_moves_between_values(
    figures: FiguresService, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    pending = create(artifacts, processing="pending")
    artifacts.fold_changes()
    artifacts.complete(pending.artifact_id, ContentFacts(size_bytes=5))
    sql.execute("UPDATE registry.artifacts SET stage = 'published'")
    for _ in ("before folding", "after"):
        told = figures.get_statistics()
        assert told_figures(told) == counted_figures(sql)
        assert [each.value for each in told.by_stage.values] == ["published"]
        assert [each.size_bytes for each in told.by_status.values] == [5]
        artifacts.fold_changes()


def test_bytes_that_move_are_counted_where_they_are(
    figures: FiguresService, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, "content", size_bytes=5, blob_path="p", **PLACE)
    artifacts.fold_changes()
    moved = sql.execute(
        "UPDATE registry.artifacts SET container = 'final', storage_tier = 'Cold',"
        " blob_etag = 'e2', observation = coalesce(observation, 0) + 1"
    )
    assert moved.rowcount == 1
    for _ in ("before folding", "after"):
        told = figures.get_statistics()
        assert told_figures(told) == counted_figures(sql)
        assert [each.value for each in told.by_container.values] == ["account/final"]
        assert [(each.value, each.size_bytes) for each in told.by_tier.values] == [("Cold", 5)]
        artifacts.fold_changes()


def test_of_many_values_the_largest_are_told_and_the_others_together(
    figures: FiguresService, artifacts: ArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LARGEST", 2)

    def register(count: int, artifact_type: str) -> None:
        for n in range(count):
            refs = {"type": artifact_type, "n": n}
            create(artifacts, client_refs=refs, artifact_type=artifact_type, size_bytes=1)

    for count, artifact_type in ((4, "a"), (3, "b"), (2, "c"), (2, "d")):
        register(count, artifact_type)
    artifacts.fold_changes()
    told = figures.get_statistics().by_type
    assert [(each.value, each.artifact_count) for each in told.values] == [("a", 4), ("b", 3)]
    assert told.others == Counted(artifact_count=4, size_bytes=4)
    # What was one of the others before becomes the largest by what is not folded yet.
    for n in range(5):
        create(artifacts, client_refs={"more": n}, artifact_type="d", size_bytes=1)
    for _ in ("before folding", "after"):
        told = figures.get_statistics().by_type
        assert [(each.value, each.artifact_count) for each in told.values] == [("d", 7), ("a", 4)]
        assert told.others == Counted(artifact_count=5, size_bytes=5)
        artifacts.fold_changes()


def test_artifacts_are_counted_on_the_day_on_which_they_were_registered(
    figures: FiguresService, artifacts: ArtifactService, clock: TickingClock
) -> None:
    first = create(artifacts, client_refs={"n": 1}, size_bytes=3)
    clock.now += timedelta(days=1)
    create(artifacts, client_refs={"n": 2}, size_bytes=4)
    artifacts.mark_deleted(first.artifact_id)
    days = [
        CountedDay(
            day=date(2026, 1, 1), artifact_count=1, size_bytes=3, deleted_count=1, deleted_bytes=3
        ),
        CountedDay(day=date(2026, 1, 2), artifact_count=1, size_bytes=4),
    ]
    for _ in ("before folding", "after"):
        told = figures.get_statistics(days=2)
        assert (told.today, told.days) == (date(2026, 1, 2), days)
        assert figures.get_statistics(days=1).days == days[1:]
        artifacts.fold_changes()
    clock.now += timedelta(days=400)
    told = figures.get_statistics(days=366)
    assert (told.days, told.artifact_count) == ([], 2)


@pytest.mark.parametrize("client_type", ["nobody", "", "DDH", "'; --"])
def test_an_unknown_client_has_zeros(
    figures: FiguresService, artifacts: ArtifactService, client_type: str
) -> None:
    create(artifacts, client_refs={"n": 1})
    artifacts.fold_changes()
    create(artifacts, client_refs={"n": 2})
    told = figures.get_statistics(client_type)
    assert (told.artifact_count, told.days) == (0, [])
    assert told_figures(told) == {figure: {} for figure in BY}


def test_sums_outgrow_64_bits(figures: FiguresService, artifacts: ArtifactService) -> None:
    for n in range(3):
        create(artifacts, client_refs={"n": n}, size_bytes=BIGGEST)
    for _ in ("before folding", "after"):
        told = RegistryFigures.model_validate_json(figures.get_statistics().model_dump_json())
        assert told.by_client.values[0].size_bytes == told.size_bytes == 3 * BIGGEST
        artifacts.fold_changes()


def test_what_cannot_be_asked_is_refused(figures: FiguresService) -> None:
    for days in (0, 367, -1):
        with pytest.raises(InvalidInput) as refused:
            figures.get_statistics(days=days)
        assert refused.value.pointer == "/days"
    with pytest.raises(InvalidInput) as refused:
        figures.get_statistics("a\x00b")
    assert refused.value.pointer == "/client_type"


def test_more_changes_than_a_request_can_fold_make_it_ask_for_patience_and_get_further(
    figures: FiguresService, artifacts: ArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_MANY", 1)
    monkeypatch.setattr(statistics, "BATCH", 2)
    monkeypatch.setattr(statistics, "_BATCHES_PER_READ", 4)
    for n in range(9):
        create(artifacts, client_refs={"n": n})
    with pytest.raises(Retryable):
        figures.get_statistics()
    assert figures.get_statistics().artifact_count == 9


def test_days_are_those_of_utc(
    figures: FiguresService, artifacts: ArtifactService, clock: TickingClock
) -> None:
    clock.now = datetime(2026, 3, 1, 0, 30, tzinfo=UTC).astimezone()
    create(artifacts)
    told = figures.get_statistics(days=1)
    assert told.today == date(2026, 3, 1)
    assert [each.day for each in told.days] == [told.today]
