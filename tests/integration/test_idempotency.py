"""What is asked again with the same idempotency key is done once."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import ArtifactConflict, IdempotencyKeyReused, RequestInFlight
from shared.models.artifacts import ArtifactRegistration
from shared.models.axes import Status
from shared.models.registrations import UNATTRIBUTED, IdempotencyKey, Registration
from shared.services.artifact_service import ArtifactService
from shared.services.idempotency import KEPT
from tests.integration.clock import TickingClock
from tests.integration.registering import count_artifacts, create, hash_of

KEY = IdempotencyKey("key:7", "order 1", hashlib.sha256(b"one").digest())


def registration(content: str) -> ArtifactRegistration:
    return ArtifactRegistration(
        client_type="ddh",
        client_refs={"name": "a"},
        content_hash=hash_of(content),
        overwrite=True,
        register_unchanged=True,
    )


def register(artifacts: ArtifactService, key: IdempotencyKey, content: str = "1") -> Registration:
    return artifacts.register(registration(content), idempotency=key)


def test_the_same_key_and_request_get_the_same_answer_even_after_the_artifact_changed(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    first = register(artifacts, KEY)
    artifacts.mark_deleted(first.artifact.artifact_id)
    assert register(artifacts, KEY) == first
    assert first.artifact.status is Status.ACTIVE
    assert count_artifacts(sql) == 1


def test_the_same_key_for_another_request_is_refused(artifacts: ArtifactService) -> None:
    register(artifacts, KEY)
    with pytest.raises(IdempotencyKeyReused):
        register(artifacts, replace(KEY, fingerprint=hashlib.sha256(b"two").digest()), "2")


def test_keys_of_two_callers_never_meet(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    register(artifacts, KEY)
    register(artifacts, replace(KEY, caller="key:8"))
    assert count_artifacts(sql) == 2


def test_what_failed_is_not_kept_and_may_be_asked_again(artifacts: ArtifactService) -> None:
    standing = create(artifacts, "1", client_refs={"name": "a"})
    careful = registration("2").model_copy(update={"overwrite": False})
    with pytest.raises(ArtifactConflict):
        artifacts.register(careful, idempotency=KEY)
    artifacts.mark_deleted(standing.artifact_id)
    assert artifacts.register(careful, idempotency=KEY).artifact.revision == 2


def test_while_a_request_is_worked_on_the_same_key_is_refused(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    with sql.transaction():
        sql.execute("SELECT registry.claim_idempotency_key(%s, %s, now())", [KEY.caller, KEY.key])
        with pytest.raises(RequestInFlight):
            register(artifacts, KEY)
    assert register(artifacts, KEY).artifact.revision == 1


def test_many_at_once_register_once(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    barrier = Barrier(8)

    def attempt(_: int) -> Registration | None:
        barrier.wait()
        try:
            return register(artifacts, KEY)
        except RequestInFlight:
            return None

    with ThreadPoolExecutor(8) as threads:
        answers = [answer for answer in threads.map(attempt, range(8)) if answer]
    assert answers
    assert all(answer == answers[0] for answer in answers)
    assert count_artifacts(sql) == 1


def test_a_key_is_forgotten_when_its_time_is_over(
    artifacts: ArtifactService, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    register(artifacts, KEY)
    clock.now += KEPT + timedelta(minutes=1)
    assert register(artifacts, replace(KEY, fingerprint=bytes(32))).artifact.revision == 2
    assert [
        row["n"] for row in sql.execute("SELECT count(*) AS n FROM registry.idempotency_keys")
    ] == [1]


def test_forgotten_keys_of_others_are_swept_up_on_the_way(
    artifacts: ArtifactService, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    for number in range(5):
        register(artifacts, replace(KEY, key=f"old {number}"))
    clock.now += KEPT + timedelta(minutes=1)
    register(artifacts, KEY)
    rows = sql.execute("SELECT idempotency_key FROM registry.idempotency_keys").fetchall()
    assert [row["idempotency_key"] for row in rows] == [KEY.key]


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_is_done_once_and_answers_the_same_with_its_failures(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], atomic: bool
) -> None:
    create(artifacts, "0", client_refs={"name": "taken"})
    taken = registration("1").model_copy(
        update={"client_refs": {"name": "taken"}, "overwrite": False}
    )
    batch = [registration("1"), registration("2")] + ([] if atomic else [taken])
    first = artifacts.register_batch(batch, UNATTRIBUTED, atomic=atomic, idempotency=KEY)
    again = artifacts.register_batch(batch, UNATTRIBUTED, atomic=atomic, idempotency=KEY)
    assert [item.registration for item in again] == [item.registration for item in first]
    assert [repr(item.error) for item in again] == [repr(item.error) for item in first]
    assert count_artifacts(sql) == 3
