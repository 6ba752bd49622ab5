"""Figures: exact at every instant, whatever was folded."""

import json
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import InvalidInput, Retryable
from shared.models.axes import Status
from shared.models.statistics import Statistics, StatusFigures
from shared.repositories.statistics import StatisticsRepository
from shared.services import statistics
from shared.services.artifact_service import ArtifactService
from shared.services.transitions import ContentFacts
from tests.integration.counting import counted
from tests.integration.registering import create

NOTHING = Statistics(asset_count=0, statuses={status: StatusFigures() for status in Status})
BIGGEST = 2**63 - 1


def figures(artifacts: int, size: int = 0, rows: int = 0) -> StatusFigures:
    return StatusFigures(artifact_count=artifacts, size_bytes=size, row_count=rows)


def one_of_each_status(service: ArtifactService, client_type: str, size: int) -> None:
    def made(name: str, **fields: Any) -> Any:
        given: dict[str, Any] = {"client_refs": {"name": name}, "size_bytes": size, "row_count": 7}
        return create(service, client_type=client_type, **(given | fields)).artifact_id

    made("superseded")
    made("superseded")
    made("pending", processing="pending")
    service.mark_archived(made("archived"))
    service.mark_deleted(made("deleted"))


def test_every_status_is_counted_and_every_figure_filtered_alike(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    one_of_each_status(artifacts, "ddh", 1000)
    one_of_each_status(artifacts, "other", 1)
    for _ in ("before folding", "after"):
        assert artifacts.get_stats("ddh") == Statistics(
            artifact_count=5,
            asset_count=4,
            size_bytes=5000,
            row_count=35,
            statuses={status: figures(1, 1000, 7) for status in Status},
        )
        everything = artifacts.get_stats()
        assert (everything.artifact_count, everything.asset_count) == (10, 8)
        assert (everything.size_bytes, everything.row_count) == (5005, 70)
        assert everything.statuses == {status: figures(2, 1001, 14) for status in Status}
        assert everything == counted(sql)
        artifacts.fold_changes()


def test_rows_of_a_table_are_no_bytes(artifacts: ArtifactService) -> None:
    create(artifacts, row_count=12)
    told = artifacts.get_stats("ddh")
    assert (told.size_bytes, told.row_count) == (0, 12)


def test_figures_are_whole_numbers_in_json(artifacts: ArtifactService) -> None:
    create(artifacts, size_bytes=12)
    artifacts.fold_changes()
    told = json.loads(artifacts.get_stats("ddh").model_dump_json())
    assert set(told) == {"artifact_count", "size_bytes", "row_count", "asset_count", "statuses"}
    numbers = [told[name] for name in set(told) - {"statuses"}]
    numbers += [number for of in told["statuses"].values() for number in of.values()]
    assert len(numbers) == 4 + 5 * 3
    assert {type(number) for number in numbers} == {int}


@pytest.mark.parametrize("client_type", ["nobody", "", "DDH", "'; --", "x" * 5000])
def test_an_unknown_client_has_zeros(artifacts: ArtifactService, client_type: str) -> None:
    create(artifacts)
    artifacts.fold_changes()
    create(artifacts)
    assert artifacts.get_stats(client_type) == NOTHING


def test_an_empty_registry_has_zeros(artifacts: ArtifactService) -> None:
    assert artifacts.get_stats() == NOTHING
    assert artifacts.fold_changes() == 0


@pytest.mark.parametrize("client_type", ["a\x00b", "\ud800"])
def test_a_client_type_that_cannot_be_is_refused(
    artifacts: ArtifactService, client_type: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        artifacts.get_stats(client_type)
    assert refused.value.pointer == "/client_type"


def test_sums_outgrow_64_bits(artifacts: ArtifactService) -> None:
    for n in range(3):
        create(artifacts, client_refs={"n": n}, size_bytes=BIGGEST, row_count=BIGGEST)
    for _ in ("before folding", "after"):
        told = artifacts.get_stats()
        assert (told.size_bytes, told.row_count) == (3 * BIGGEST, 3 * BIGGEST)
        artifacts.fold_changes()


def test_facts_that_come_with_completion_are_counted(artifacts: ArtifactService) -> None:
    pending = create(artifacts, processing="pending")
    artifacts.fold_changes()
    artifacts.complete(pending.artifact_id, ContentFacts(size_bytes=5, row_count=6))
    for _ in ("before folding", "after"):
        told = artifacts.get_stats("ddh").statuses
        assert told[Status.PENDING] == figures(0)
        assert told[Status.ACTIVE] == figures(1, 5, 6)
        artifacts.fold_changes()


def test_a_purged_artifact_stays_counted_as_deleted(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made = create(artifacts, size_bytes=9)
    artifacts.mark_deleted(made.artifact_id)
    sql.execute("UPDATE registry.artifacts SET disposition = 'purged', purged_at = now()")
    assert artifacts.get_stats("ddh").statuses[Status.DELETED] == figures(1, 9)


def test_a_registration_that_is_rolled_back_leaves_no_figure(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, size_bytes=1)
    with sql.transaction(force_rollback=True):
        sql.execute("UPDATE registry.assets SET current_artifact_id = NULL")
        sql.execute("UPDATE registry.artifacts SET disposition = 'deleted', deleted_at = now()")
    assert artifacts.get_stats("ddh").statuses[Status.ACTIVE] == figures(1, 1)


def test_folding_in_small_steps_keeps_every_figure_exact_between_them(
    artifacts: ArtifactService, database: Database, sql: psycopg.Connection[DictRow]
) -> None:
    one_of_each_status(artifacts, "ddh", 3)
    with database.connection() as connection:
        repository = StatisticsRepository(connection)
        steps = 0
        while repository.fold_changes(most=1, at_least=1):
            steps += 1
            assert repository.read(None) == counted(sql)
            assert repository.read("ddh") == counted(sql, "ddh")
    assert steps == 8  # five registrations, one superseded, one archived, one deleted
    left = sql.execute("SELECT count(*) AS n FROM registry.artifact_changes").fetchone()
    assert left == {"n": 0}


def test_what_changes_no_figure_is_not_noted(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made = create(artifacts)
    artifacts.fold_changes()
    artifacts.update_metadata(made.artifact_id, {"title": "t"})
    assert artifacts.fold_changes() == 0


def test_few_changes_are_read_where_they_are_and_many_are_folded_first(
    artifacts: ArtifactService, monkeypatch: pytest.MonkeyPatch, sql: psycopg.Connection[DictRow]
) -> None:
    monkeypatch.setattr(statistics, "_MANY", 3)
    waiting = "SELECT count(*) AS n FROM registry.artifact_changes"
    for n, left in enumerate([1, 2, 0, 1]):
        create(artifacts, client_refs={"n": n})
        assert artifacts.get_stats().artifact_count == n + 1
        assert sql.execute(waiting).fetchone() == {"n": left}


def test_more_changes_than_a_request_can_fold_make_it_ask_for_patience_and_get_further(
    artifacts: ArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_MANY", 1)
    monkeypatch.setattr(statistics, "BATCH", 2)
    monkeypatch.setattr(statistics, "_BATCHES_PER_READ", 4)
    for n in range(9):
        create(artifacts, client_refs={"n": n})
    with pytest.raises(Retryable):
        artifacts.get_stats()
    assert artifacts.get_stats().artifact_count == 9


def test_a_call_folds_several_batches_and_tells_how_many_changes(
    artifacts: ArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "BATCH", 2)
    for n in range(5):
        create(artifacts, client_refs={"n": n})
    assert artifacts.fold_changes() == 5
    assert artifacts.fold_changes() == 0
