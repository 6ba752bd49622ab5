"""Registering what was seen of a blob: once per state, and late readers never win."""

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.errors import InvalidInput
from shared.models.artifacts import ArtifactRegistration
from shared.models.ids import new_id
from shared.models.registrations import Outcome
from shared.repositories.artifacts import Observation
from shared.services.artifact_service import ArtifactService
from tests.integration.registering import count_artifacts, create, hash_of

BLOB = ArtifactRegistration(
    client_type="blob",
    client_refs={"path": "p"},
    overwrite=True,
    storage_account="a",
    container="c",
    blob_path="p",
)


def seen(etag: str, content: str) -> ArtifactRegistration:
    return BLOB.model_copy(update={"blob_etag": etag, "content_hash": hash_of(content)})


def test_a_worker_that_read_the_blob_earlier_never_wins_over_a_later_state(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    newer = artifacts.register(seen("e2", "new"), observation=Observation(2, None))
    late = artifacts.register(seen("e1", "old"), observation=Observation(1, None))
    assert late.outcome is Outcome.STALE
    assert late.artifact == newer.artifact
    assert count_artifacts(sql) == 1


def test_the_same_state_of_a_blob_registers_once_even_after_a_delete(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    first = artifacts.register(seen("e1", "x"), observation=Observation(1, None))
    artifacts.mark_deleted(first.artifact.artifact_id)
    again = artifacts.register(seen("e1", "x"), observation=Observation(2, None))
    assert again.outcome is Outcome.UNCHANGED
    assert again.artifact.artifact_id == first.artifact.artifact_id
    assert count_artifacts(sql) == 1


def test_a_return_to_earlier_bytes_is_a_new_revision(artifacts: ArtifactService) -> None:
    artifacts.register(seen("e1", "a"), observation=Observation(1, None))
    artifacts.register(seen("e2", "b"), observation=Observation(2, None))
    back = artifacts.register(seen("e3", "a"), observation=Observation(3, None))
    assert (back.outcome, back.artifact.revision) == (Outcome.CREATED, 3)


def test_the_same_bytes_written_again_move_the_location_on(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    first = artifacts.register(seen("e1", "a"), observation=Observation(1, None))
    again = artifacts.register(seen("e2", "a"), observation=Observation(2, None))
    assert again.outcome is Outcome.UNCHANGED
    assert again.artifact.artifact_id == first.artifact.artifact_id
    assert again.artifact.blob_etag == "e2"
    operations = sql.execute("SELECT operation FROM registry.outbox ORDER BY position").fetchall()
    assert [row["operation"] for row in operations] == ["artifact_creation", "location_refreshed"]


def test_after_the_same_bytes_were_written_again_a_reader_from_between_is_late(
    artifacts: ArtifactService,
) -> None:
    artifacts.register(seen("e1", "a"), observation=Observation(1, None))
    artifacts.register(seen("e3", "a"), observation=Observation(3, None))
    between = artifacts.register(seen("e2", "b"), observation=Observation(2, None))
    assert between.outcome is Outcome.STALE


def test_a_request_that_is_repeated_late_changes_nothing(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    mine = new_id()
    registration = BLOB.model_copy(update={"content_hash": hash_of("a")})
    first = artifacts.register(registration, artifact_id=mine)
    newer = artifacts.register(BLOB.model_copy(update={"content_hash": hash_of("b")}))
    again = artifacts.register(registration, artifact_id=mine)
    assert (again.outcome, again.artifact.artifact_id) == (Outcome.UNCHANGED, mine)
    assert first.artifact.artifact_id == mine
    artifacts.mark_deleted(newer.artifact.artifact_id)
    assert artifacts.register(registration, artifact_id=mine).outcome is Outcome.UNCHANGED
    assert count_artifacts(sql) == 2


def test_a_senders_own_word_may_return_to_a_state_that_was_registered_before(
    artifacts: ArtifactService,
) -> None:
    first = artifacts.register(seen("e1", "a"), observation=Observation(1, None))
    artifacts.mark_deleted(first.artifact.artifact_id)
    again = artifacts.register(
        seen("e1", "a"), observation=Observation(2, None), once_per_state=False
    )
    assert (again.outcome, again.artifact.revision) == (Outcome.CREATED, 2)


def test_an_identity_key_that_two_identities_share_mixes_nothing_up(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, "a")
    # As if somebody had found an md5 collision with REFS.
    sql.execute("ALTER TABLE registry.assets ALTER COLUMN identity_key DROP EXPRESSION")
    sql.execute(
        "UPDATE registry.assets SET identity_key = registry.identity_key('ddh', %s)",
        [Jsonb({"other": "refs"})],
    )
    with pytest.raises(InvalidInput):
        create(artifacts, "b", client_refs={"other": "refs"})
    assert count_artifacts(sql) == 1


def test_two_assets_may_share_one_location(artifacts: ArtifactService) -> None:
    one = artifacts.register(seen("e1", "a"), observation=Observation(1, None))
    second = seen("e1", "a").model_copy(update={"client_refs": {"other": "asset"}})
    other = artifacts.register(second, observation=Observation(2, None))
    assert other.outcome is Outcome.CREATED
    assert other.artifact.asset_id != one.artifact.asset_id


def test_what_one_asset_knows_of_a_location_answers_for_no_other(
    artifacts: ArtifactService,
) -> None:
    mine = create(artifacts, "before", client_type="blob", client_refs={"other": "asset"})
    artifacts.register(seen("e1", "a"), observation=Observation(2, None))
    shared = seen("e1", "a").model_copy(update={"client_refs": {"other": "asset"}})
    earlier = artifacts.register(shared, observation=Observation(1, None))
    assert (earlier.outcome, earlier.artifact.supersedes) == (Outcome.CREATED, mine.artifact_id)
