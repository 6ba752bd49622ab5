"""What a row may hold: every rule refuses what it is for, and takes what is just within it."""

import json
import re
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.services.artifact_service import ArtifactService
from tests.integration.registering import create

Row = dict[str, Any]


def lengths(**most: int) -> dict[str, list[tuple[Row, Row]]]:
    """Of texts: what is too short or too long by one, beside what is not."""
    return {
        f"{column}_length": [
            ({column: ""}, {column: "x"}),
            ({column: "é" * (length + 1)}, {column: "é" * length}),
        ]
        for column, length in most.items()
    }


def located(**one: str) -> Row:
    return {"storage_account": "a", "container": "c", "blob_path": "p"} | one


def printable(column: str) -> list[tuple[Row, Row]]:
    ends = [(located(**{column: text}), located()) for text in ("", "x" * 65, "a\tb")]
    return [*ends, (located(**{column: "a\nb"}), located(**{column: "x" * 64}))]


NOW = "2026-01-01T00:00:00Z"
MIB = 1024 * 1024

RULES: dict[str, dict[str, list[tuple[Row, Row]]]] = {
    "artifacts": {
        **lengths(
            storage_backend=50,
            blob_version_id=64,
            storage_region=64,
            uri=16384,
            storage_tier=32,
            content_type=255,
            artifact_type=100,
            stac_collection_id=255,
            stac_item_id=255,
            source_job_id=255,
            source_task_id=255,
            producer=255,
            producer_version=100,
        ),
        "blob_path_length": [
            (located(blob_path=""), located()),
            (located(blob_path="é" * 1025), located(blob_path="é" * 1024)),
        ],
        "storage_account_form": printable("storage_account"),
        "container_form": printable("container"),
        "location_whole": [({"container": "c"}, {}), ({"blob_path": "p"}, located())],
        "blob_etag_form": [
            ({"blob_etag": text}, {"blob_etag": "x" * 128}) for text in ("", '"x"', "x" * 129)
        ],
        "content_hash_form": [
            ({"content_hash": text}, {"content_hash": "1220" + "0a" * 32})
            for text in ("0a" * 32, "1220" + "0A" * 32, "1220" + "0a" * 32 + "\n")
        ],
        "revision_positive": [({"revision": 0}, {"revision": 1})],
        "observation_positive": [({"observation": 0}, {"observation": 1})],
        "size_bytes_not_negative": [({"size_bytes": -1}, {"size_bytes": 0})],
        "row_count_not_negative": [({"row_count": -1}, {"row_count": 0})],
        "data_size": [({"data": "x" * MIB}, {"data": "x" * (MIB - 100)})],
        "metadata_object": [({"metadata": []}, {"metadata": {}})],
        "metadata_size": [({"metadata": {"m": "x" * MIB}}, {"metadata": {"m": "x"}})],
        "processing_known": [({"processing": "done"}, {"processing": "failed"})],
        "stage_known": [({"stage": "final"}, {"stage": "published"})],
        "disposition_known": [({"disposition": "gone"}, {"disposition": "live"})],
        "expires_at_range": [
            ({"expires_at": at}, {"expires_at": "9998-12-31T23:59:59Z"})
            for at in ("infinity", "9999-01-01T00:00:00Z", "1969-12-31T23:59:59Z")
        ],
        "archived_when": [
            ({"disposition": "archived"}, {"disposition": "archived", "archived_at": NOW})
        ],
        "deleted_when": [
            ({"disposition": "deleted"}, {"disposition": "deleted", "deleted_at": NOW})
        ],
        "purged_when": [
            (
                {"disposition": "purged", "deleted_at": NOW},
                {"disposition": "purged", "deleted_at": NOW, "purged_at": NOW},
            ),
            ({"disposition": "live", "purged_at": NOW}, {"disposition": "live"}),
        ],
        "purged_data": [
            (
                {"disposition": "purged", "deleted_at": NOW, "purged_at": NOW, "data": 1},
                {"disposition": "purged", "deleted_at": NOW, "purged_at": NOW},
            )
        ],
    },
    "assets": {
        **lengths(client_type=50, hierarchy=100, level=100),
        "client_type_printable": [({"client_type": "a\tb"}, {"client_type": "a b"})],
        "client_refs_object": [({"client_refs": [1]}, {"client_refs": {"a": 1}})],
        "client_refs_not_empty": [({"client_refs": {}}, {"client_refs": {"a": None}})],
        "last_revision_not_negative": [({"last_revision": -1}, {"last_revision": 0})],
        "parent_is_another": [
            (
                {"asset_id": f"{1:032x}", "parent_asset_id": f"{1:032x}"},
                {"asset_id": f"{1:032x}", "parent_asset_id": f"{2:032x}"},
            )
        ],
    },
    "outbox": {
        **lengths(operation=100, action=100, actor=255, request_id=255),
        "error_length": [
            ({"success": False, "error": text}, {"success": False, "error": "é" * 2000})
            for text in ("", "é" * 2001)
        ],
        "error_when": [
            ({"success": True, "error": "no"}, {"success": True}),
            ({"success": False}, {"success": False, "error": "no"}),
        ],
        "details_object": [({"details": []}, {"details": {}})],
    },
}


@pytest.mark.parametrize("table", RULES)
def test_every_rule_refuses_what_is_outside_and_takes_what_is_within(
    sql: psycopg.Connection[DictRow], table: str
) -> None:
    asked = (
        f"SELECT registry.broken_rule(jsonb_populate_record(NULL::registry.{table}, %s)) AS rule"
    )
    for rule, cases in RULES[table].items():
        for refused, taken in cases:
            for row, told in ((refused, rule), (taken, None)):
                found = sql.execute(asked.encode(), [json.dumps(row)]).fetchone()
                assert found == {"rule": told}, str(row)[:200]


@pytest.mark.parametrize("table", RULES)
def test_no_rule_is_left_out_here(sql: psycopg.Connection[DictRow], table: str) -> None:
    named = (
        f"SELECT pg_get_functiondef('registry.broken_rule(registry.{table})'::regprocedure) AS body"
    )
    row = sql.execute(named.encode()).fetchone()
    assert row
    assert set(re.findall(r"THEN '(\w+)'", row["body"])) == RULES[table].keys()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("UPDATE registry.artifacts SET storage_tier = ''", "artifacts_storage_tier_length"),
        ("UPDATE registry.assets SET level = ''", "assets_level_length"),
        ("UPDATE registry.outbox SET actor = ''", "outbox_actor_length"),
    ],
)
def test_tables_keep_their_rules_and_name_the_one_that_is_broken(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], change: str, rule: str
) -> None:
    create(artifacts, "a")
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        sql.execute(change.encode())
    assert refused.value.diag.constraint_name == rule
