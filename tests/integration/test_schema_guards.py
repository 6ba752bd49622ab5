"""What no statement may do, whoever sends it: the constraints and guards of the schema."""

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.models.artifacts import Artifact
from shared.models.ids import new_id
from shared.services.artifact_service import ArtifactService

HASH = "1220" + "ab" * 32


@pytest.fixture
def artifact(artifacts: ArtifactService) -> Artifact:
    return artifacts.create_artifact(
        client_type="x",
        client_refs={"a": "1"},
        content_hash=HASH,
        size_bytes=5,
        storage_account="account",
        container="container",
        blob_path="path",
    )


CONTENT = {
    "artifact_id": str(new_id()),
    "asset_id": str(new_id()),
    "revision": 7,
    "storage_backend": "other",
    "storage_account": "other",
    "container": "other",
    "blob_path": "other",
    "storage_region": "other",
    "uri": "other",
    "content_hash": "1220" + "cd" * 32,
    "size_bytes": 6,
    "row_count": 6,
    "content_type": "other",
    "artifact_type": "other",
    "data": "1",
    "stac_collection_id": "other",
    "stac_item_id": "other",
    "source_job_id": "other",
    "source_task_id": "other",
    "run_id": str(new_id()),
    "step_id": str(new_id()),
    "producer": "other",
    "producer_version": "other",
    "created_at": "2020-01-01T00:00:00Z",
}


@pytest.mark.parametrize("column", CONTENT)
def test_content_never_changes_after_it_was_registered(
    artifact: Artifact, sql: psycopg.Connection[DictRow], column: str
) -> None:
    statement = f"UPDATE registry.artifacts SET {column} = %s"  # noqa: S608 - a name of ours
    with pytest.raises(errors.IntegrityConstraintViolation, match="never change"):
        sql.execute(statement.encode(), [CONTENT[column]])


def test_every_content_column_is_guarded(sql: psycopg.Connection[DictRow]) -> None:
    """A column added later must be put into one of the two lists, or this says so."""
    may_change = {
        *("supersedes", "superseded_by", "blob_version_id", "blob_etag", "observation"),
        *("storage_tier", "metadata", "processing", "stage", "disposition", "is_resumable"),
        *("is_final", "expires_at", "verified_at", "updated_at", "archived_at", "deleted_at"),
        *("purged_at", "location_key", "status", "missing_since", "superseded_at"),
        *("tier_since", "rehydrating_to", "rehydrated_at", "found_corrupt_at", "looked_at"),
    }
    rows = sql.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = 'registry' AND table_name = 'artifacts'"
    ).fetchall()
    assert {row["column_name"] for row in rows} == may_change | CONTENT.keys()


@pytest.mark.parametrize(
    ("assignment", "constraint"),
    [
        ("size_bytes = -1", "artifacts_size_bytes_not_negative"),
        ("row_count = -1", "artifacts_row_count_not_negative"),
        ("content_hash = 'abc'", "artifacts_content_hash_form"),
        (f"content_hash = '{HASH.upper()}X'", "artifacts_content_hash_form"),
        ("content_type = repeat('x', 256)", "artifacts_content_type_length"),
        ("blob_path = repeat('x', 1025)", "artifacts_blob_path_length"),
        ("blob_path = NULL", "artifacts_location_whole"),
        ("expires_at = 'infinity'", "artifacts_expires_at_range"),
        ("metadata = '[]'", "artifacts_metadata_object"),
        ("processing = 'done'", "artifacts_processing_known"),
        ("stage = 'final'", "artifacts_stage_known"),
        ("disposition = 'gone'", "artifacts_disposition_known"),
        ("revision = 0", "artifacts_revision_positive"),
        ("blob_etag = '\"quoted\"'", "artifacts_blob_etag_form"),
    ],
)
def test_values_outside_the_rules_are_refused_at_insert(
    artifact: Artifact, sql: psycopg.Connection[DictRow], assignment: str, constraint: str
) -> None:
    column, _, value = assignment.partition(" = ")
    sql.execute("CREATE TEMP TABLE draft AS SELECT * FROM registry.artifacts")
    sql.execute(
        "UPDATE draft SET artifact_id = gen_random_uuid(), revision = 2, processing = 'pending'"
    )
    sql.execute(f"UPDATE draft SET {column} = {value}".encode())  # noqa: S608 - names of ours
    names = sql.execute(
        "SELECT string_agg(quote_ident(column_name), ', ') AS names "
        "FROM information_schema.columns WHERE table_schema = 'registry' "
        "AND table_name = 'artifacts' AND is_generated = 'NEVER'"
    ).fetchone()
    assert names
    columns = names["names"]
    copy = f"INSERT INTO registry.artifacts ({columns}) SELECT {columns} FROM draft"  # noqa: S608 - likewise
    with pytest.raises(errors.CheckViolation, match=constraint):
        sql.execute(copy.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM registry.artifacts",
        "DELETE FROM registry.assets",
        "TRUNCATE registry.artifacts CASCADE",
        "TRUNCATE registry.assets CASCADE",
        "UPDATE registry.assets SET last_revision = 0",
        "UPDATE registry.assets SET client_refs = '{\"b\": 2}'",
        "UPDATE registry.assets SET client_type = 'y'",
        "UPDATE registry.artifacts SET processing = 'pending'",
        "UPDATE registry.artifacts SET disposition = 'purged', purged_at = now()",
    ],
)
def test_records_are_kept_and_axes_move_forward_only(
    artifact: Artifact, sql: psycopg.Connection[DictRow], statement: str
) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation):
        sql.execute(statement.encode())


def test_deleted_at_is_set_once(
    artifacts: ArtifactService, artifact: Artifact, sql: psycopg.Connection[DictRow]
) -> None:
    artifacts.mark_deleted(artifact.artifact_id)
    with pytest.raises(errors.IntegrityConstraintViolation, match="set once"):
        sql.execute("UPDATE registry.artifacts SET deleted_at = now()")


def test_stage_moves_forward_only(artifact: Artifact, sql: psycopg.Connection[DictRow]) -> None:
    sql.execute("UPDATE registry.artifacts SET stage = 'published'")
    with pytest.raises(errors.IntegrityConstraintViolation, match="forward only"):
        sql.execute("UPDATE registry.artifacts SET stage = 'candidate'")


def test_an_asset_has_one_active_artifact(
    artifacts: ArtifactService, artifact: Artifact, sql: psycopg.Connection[DictRow]
) -> None:
    artifacts.create_artifact(client_type="x", client_refs={"a": "1"}, overwrite=True)
    with pytest.raises(errors.UniqueViolation, match="artifacts_one_active"):
        sql.execute("UPDATE registry.artifacts SET superseded_by = NULL WHERE revision = 1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registry.artifacts SET supersedes = NULL WHERE revision = 2",
        "UPDATE registry.artifacts SET supersedes = artifact_id WHERE revision = 1",
        "UPDATE registry.artifacts SET superseded_by = gen_random_uuid() WHERE revision = 1",
        "UPDATE registry.artifacts SET superseded_by = artifact_id WHERE revision = 2",
    ],
)
def test_a_link_that_is_not_answered_by_its_opposite_cannot_be_committed(
    artifacts: ArtifactService,
    artifact: Artifact,
    sql: psycopg.Connection[DictRow],
    statement: str,
) -> None:
    artifacts.create_artifact(client_type="x", client_refs={"a": "1"}, overwrite=True)
    with pytest.raises(errors.ForeignKeyViolation):
        sql.execute(statement.encode())


def test_the_current_artifact_is_one_of_the_asset_itself(
    artifacts: ArtifactService, artifact: Artifact, sql: psycopg.Connection[DictRow]
) -> None:
    other = artifacts.create_artifact(client_type="x", client_refs={"b": "2"})
    with pytest.raises(errors.ForeignKeyViolation, match="assets_current_is_its_active_one"):
        sql.execute(
            "UPDATE registry.assets SET current_artifact_id = %s WHERE asset_id = %s",
            [other.artifact_id, artifact.asset_id],
        )


def test_what_an_asset_points_at_is_active(
    artifacts: ArtifactService, artifact: Artifact, sql: psycopg.Connection[DictRow]
) -> None:
    with pytest.raises(errors.ForeignKeyViolation, match="assets_current_is_its_active_one"):
        sql.execute("UPDATE registry.artifacts SET disposition = 'deleted', deleted_at = now()")
    artifacts.create_artifact(client_type="x", client_refs={"a": "1"}, overwrite=True)
    with pytest.raises(errors.ForeignKeyViolation, match="assets_current_is_its_active_one"):
        sql.execute("UPDATE registry.assets SET current_artifact_id = %s", [artifact.artifact_id])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('{"a": "1"}', '{"a": "1"}'),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
        ('{"a": "x", "a": "1"}', '{"a": "1"}'),
    ],
)
def test_identity_is_unique_by_canonical_json(
    sql: psycopg.Connection[DictRow], first: str, second: str
) -> None:
    insert = (
        "INSERT INTO registry.assets (asset_id, client_type, client_refs, created_at) "
        "VALUES (gen_random_uuid(), 'y', %s::jsonb, now())"
    )
    sql.execute(insert, [first])
    with pytest.raises(errors.UniqueViolation, match="assets_identity"):
        sql.execute(insert, [second])
    sql.execute(insert, ['{"a": true}'])


@pytest.mark.parametrize(
    "refs", ["{}", "[]", '"a"', '{"a": 1.0}', '{"a": {"b": [2.50]}}', '{"a": "' + "x" * 8192 + '"}']
)
def test_references_that_identity_cannot_rest_on_are_refused(
    sql: psycopg.Connection[DictRow], refs: str
) -> None:
    with pytest.raises((errors.CheckViolation, errors.IntegrityConstraintViolation)) as refused:
        sql.execute(
            "INSERT INTO registry.assets (asset_id, client_type, client_refs, created_at) "
            "VALUES (gen_random_uuid(), 'y', %s::jsonb, now())",
            [refs],
        )
    assert str(refused.value.diag.constraint_name).startswith("assets_client_refs")


def test_the_database_accepts_every_canonical_number(sql: psycopg.Connection[DictRow]) -> None:
    for number in (0, 1, -1, 1.5, 1e-07, 2**53, -1e300, 0.1):
        sql.execute(
            "INSERT INTO registry.assets (asset_id, client_type, client_refs, created_at) "
            "VALUES (gen_random_uuid(), 'y', %s, now())",
            [Jsonb({"n": number})],
        )


def test_facts_of_bytes_still_to_come_are_filled_in_once(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    artifacts.create_artifact(client_type="x", client_refs={"p": "1"}, processing="pending")
    sql.execute("UPDATE registry.artifacts SET content_hash = %s", [HASH])
    with pytest.raises(errors.IntegrityConstraintViolation, match="once they are known"):
        sql.execute("UPDATE registry.artifacts SET content_hash = %s", ["1220" + "cd" * 32])
    with pytest.raises(errors.IntegrityConstraintViolation, match="once they are known"):
        sql.execute("UPDATE registry.artifacts SET content_hash = NULL")
