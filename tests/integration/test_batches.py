"""Registering many artifacts in one call."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import (
    ArtifactConflict,
    BatchRefused,
    DatabaseUnavailable,
    InvalidInput,
    RegistryError,
)
from shared.models.artifacts import ArtifactRegistration
from shared.models.axes import Status
from shared.models.registrations import BatchItem, Origin, Outcome
from shared.services.artifact_service import ArtifactService
from shared.services.registration import MAXIMUM_BATCH
from tests.integration.registering import count_artifacts, hash_of


def registration(name: str, content: str | None = None, **fields: Any) -> ArtifactRegistration:
    return ArtifactRegistration(
        client_type="ddh",
        client_refs={"name": name},
        content_hash=hash_of(content) if content else None,
        **fields,
    )


def outcomes(items: list[BatchItem]) -> list[Outcome | None]:
    return [item.registration.outcome if item.registration else None for item in items]


def revisions(items: list[BatchItem]) -> list[int | None]:
    return [item.registration.artifact.revision if item.registration else None for item in items]


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_answers_in_the_order_of_its_items(
    artifacts: ArtifactService, atomic: bool
) -> None:
    names = [f"name {number}" for number in range(50)]
    items = artifacts.register_batch([registration(name, name) for name in names], atomic=atomic)
    told = [item.registration.artifact.client_refs["name"] for item in items if item.registration]
    assert told == names
    assert set(outcomes(items)) == {Outcome.CREATED}


def test_items_of_one_asset_are_registered_in_the_order_in_which_they_stand(
    artifacts: ArtifactService,
) -> None:
    items = artifacts.register_batch(
        [
            registration("a", "1"),
            registration("b", "1"),
            registration("a", "2", overwrite=True),
            registration("a", "2"),
            registration("a", "3", overwrite=True),
        ],
        atomic=True,
    )
    assert revisions(items) == [1, 1, 2, 2, 3]
    assert outcomes(items)[3] is Outcome.UNCHANGED
    history = artifacts.get_history("ddh", {"name": "a"}).artifacts
    assert [one.status for one in history] == [Status.ACTIVE, Status.SUPERSEDED, Status.SUPERSEDED]


def test_each_for_itself_means_that_one_that_fails_stops_no_other(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    standing = artifacts.register(registration("taken", "old")).artifact
    items = artifacts.register_batch(
        [registration("a", "1"), registration("taken", "new"), registration("b", "1")],
        atomic=False,
    )
    assert outcomes(items) == [Outcome.CREATED, None, Outcome.CREATED]
    conflict = items[1].error
    assert isinstance(conflict, ArtifactConflict)
    assert conflict.current_artifact_id == standing.artifact_id
    assert count_artifacts(sql) == 3


def test_an_item_that_only_the_database_refuses_stops_no_other(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    refused = registration("bad", "1").model_copy(update={"container": "alone"})
    items = artifacts.register_batch(
        [registration("a", "1"), refused, registration("b", "1")], atomic=False
    )
    assert outcomes(items) == [Outcome.CREATED, None, Outcome.CREATED]
    assert isinstance(items[1].error, InvalidInput)
    assert count_artifacts(sql) == 2


def test_all_or_none_names_every_item_at_fault_and_registers_nothing(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    artifacts.register(registration("taken", "old"))
    broken = registration("bad", "1").model_copy(update={"container": "alone"})
    batch = [registration("a"), registration("taken", "new"), registration("b"), broken]
    with pytest.raises(BatchRefused) as refused:
        artifacts.register_batch(batch, atomic=True)
    kinds = {place: type(error) for place, error in refused.value.refused.items()}
    assert kinds == {1: ArtifactConflict, 3: InvalidInput}
    assert count_artifacts(sql) == 1
    events = sql.execute("SELECT operation FROM registry.outbox").fetchall()
    assert len(events) == 1


def test_an_asset_that_others_hold_stops_no_other(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    for function in ("register_artifacts", "register_artifact"):
        sql.execute(f"ALTER FUNCTION registry.{function} SET lock_timeout = '200ms'".encode())
    artifacts.register(registration("held", "old"))
    with sql.transaction():
        sql.execute("SELECT FROM registry.assets FOR UPDATE")
        items = artifacts.register_batch(
            [
                registration("a", "1"),
                *(registration("held", f"new {number}") for number in range(40)),
                registration("b", "1"),
            ],
            atomic=False,
        )
    assert outcomes(items) == [Outcome.CREATED, *[None] * 40, Outcome.CREATED]
    assert all(isinstance(item.error, DatabaseUnavailable) for item in items[1:-1])
    assert len({id(item) for item in items[1:-1]}) == 1, "the asset was waited for once"


@pytest.mark.parametrize("count", [0, MAXIMUM_BATCH + 1])
def test_a_batch_has_its_bounds(artifacts: ArtifactService, count: int) -> None:
    with pytest.raises(InvalidInput):
        artifacts.register_batch([registration("a")] * count, atomic=False)


def test_every_item_leaves_its_event_with_the_origin(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    artifacts.register_batch(
        [registration("a"), registration("b")], Origin("key:7", "request 1"), atomic=False
    )
    events = sql.execute("SELECT operation, actor, request_id FROM registry.outbox").fetchall()
    told = {"operation": "artifact_creation", "actor": "key:7", "request_id": "request 1"}
    assert events == [told, told]


def test_batches_of_the_same_assets_in_opposite_orders_do_not_wait_for_each_other(
    artifacts: ArtifactService,
) -> None:
    """Locks taken in the order of the lists would end in deadlocks, which the server reports."""
    location = {"storage_account": "account", "container": "container"}
    names = [f"name {number}" for number in range(40)]

    def batch(number: int) -> list[BatchItem]:
        order = names if number % 2 else names[::-1]
        registrations = [
            registration(
                name, f"{name} of {number}", overwrite=True, blob_path=f"{name}.tif", **location
            )
            for name in order
        ]
        return artifacts.register_batch(registrations, atomic=bool(number % 3))

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(batch, range(24)))
    assert all(outcome is Outcome.CREATED for items in results for outcome in outcomes(items))
    for name in names:
        history = artifacts.get_history("ddh", {"name": name})
        assert [one.revision for one in history.artifacts] == list(range(24, 0, -1))


def test_a_full_batch_takes_few_locks_of_the_server(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    """A lock for each location would fill the table of locks, which all transactions share."""
    batch = [
        registration(
            f"name {number}",
            storage_account="account",
            container="container",
            blob_path=f"{number}.tif",
        )
        for number in range(MAXIMUM_BATCH)
    ]
    items = artifacts.register_batch(batch, atomic=True)
    assert set(outcomes(items)) == {Outcome.CREATED}
    row = sql.execute(
        "SELECT count(DISTINCT registry.location_lock(location_key)) AS locks "
        "FROM registry.artifacts WHERE location_key IS NOT NULL"
    ).fetchone()
    assert row
    assert row["locks"] <= 256


def test_refused_batches_of_the_same_assets_in_opposite_orders_do_not_wait_for_each_other(
    artifacts: ArtifactService,
) -> None:
    names = [f"name {number}" for number in range(6)]
    for name in names[:3]:
        artifacts.register(registration(name, "old"))
    broken = registration("bad", "1").model_copy(update={"container": "alone"})

    def refusal(number: int) -> RegistryError:
        order = names if number % 2 else names[::-1]
        batch = [registration(name, f"{name} of {number}", overwrite=True) for name in order]
        with pytest.raises(RegistryError) as refused:
            artifacts.register_batch([*batch, broken], atomic=True)
        return refused.value

    with ThreadPoolExecutor(4) as threads:
        refusals = list(threads.map(refusal, range(40)))
    assert {type(refused) for refused in refusals} == {BatchRefused}


def test_an_atomic_batch_waits_once_for_an_asset_that_others_hold(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    """Nothing of it will be registered: waiting for each of its items would gain nothing."""
    # Whoever waits for one item longer than for the whole batch is never done.
    for function, limit in (("register_artifacts", "200ms"), ("register_artifact", "0")):
        sql.execute(f"ALTER FUNCTION registry.{function} SET lock_timeout = '{limit}'".encode())
    artifacts.register(registration("held", "old"))
    with sql.transaction():
        sql.execute("SET LOCAL idle_in_transaction_session_timeout = '30s'")
        sql.execute("SELECT FROM registry.assets FOR UPDATE")
        with pytest.raises(DatabaseUnavailable):
            artifacts.register_batch(
                [registration("a", "1"), registration("held", "new", overwrite=True)], atomic=True
            )
    assert count_artifacts(sql) == 1
