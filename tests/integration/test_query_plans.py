"""Every query of a request path uses an index, and pages touch no more rows than they tell."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.repositories import artifacts, assets

FILL = """
SET session_replication_role = replica;  -- rows made whole here need no guard while they load
INSERT INTO registry.assets
    (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
SELECT md5('asset ' || i)::uuid, 'blob', jsonb_build_object('account', 'a', 'path', 'p/' || i),
       1, md5('artifact ' || i)::uuid, now()
FROM generate_series(0, 20000) AS i;
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, storage_account, container, blob_path, blob_etag, observation,
     content_hash, stac_collection_id, stac_item_id, source_job_id, processing, stage,
     created_at, updated_at)
SELECT md5('artifact ' || i)::uuid, md5('asset ' || i)::uuid, 1, 'a', 'c', 'p/' || i, 'e1', i,
       '1220' || encode(sha256(i::text::bytea), 'hex'), 'collection', 'item ' || i,
       'job ' || i / 10, 'completed', 'intermediate', now(), now()
FROM generate_series(1, 20000) AS i;
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, supersedes, superseded_by, processing, stage,
     created_at, updated_at)
SELECT md5('revision ' || i)::uuid, md5('asset 0')::uuid, i,
       CASE WHEN i > 1 THEN md5('revision ' || i - 1)::uuid END,
       CASE WHEN i < 1000 THEN md5('revision ' || i + 1)::uuid END,
       'completed', 'intermediate', now(), now()
FROM generate_series(1, 1000) AS i;
ANALYZE registry.assets;
ANALYZE registry.artifacts;
SET session_replication_role = DEFAULT;
"""


def _md5(sql: psycopg.Connection[DictRow], text: str) -> UUID:
    row = sql.execute("SELECT md5(%s)::uuid AS id", [text]).fetchone()
    assert row
    return row["id"]


def _refs(**refs: str) -> Jsonb:
    return Jsonb(refs)


@pytest.fixture
def filled(sql: psycopg.Connection[DictRow]) -> psycopg.Connection[DictRow]:
    sql.execute(FILL.encode())
    return sql


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def explain(
    sql: psycopg.Connection[DictRow], statement: bytes, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    row = sql.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + statement, parameters).fetchone()
    assert row
    return nodes(row["QUERY PLAN"][0]["Plan"])


def test_every_read_uses_an_index_and_touches_little(
    filled: psycopg.Connection[DictRow],
) -> None:
    one = load_queries(artifacts.__file__)
    many = load_queries(assets.__file__)
    identity = {"client_type": "blob", "client_refs": _refs(account="a", path="p/77")}
    location = {"storage_account": "a", "container": "c", "blob_path": "p/77", "blob_etag": "e1"}
    middle = {"artifact_id": _md5(filled, "revision 500"), "after": -(2**31), "limit": 1001}
    cases: list[tuple[str, bytes, dict[str, Any], int]] = [
        ("get", one["get"], {"artifact_id": _md5(filled, "artifact 77")}, 1),
        ("stac", one["of_stac_item"], {"collection_id": "collection", "item_id": "item 77"}, 1),
        ("job", one["of_job"], {"job_id": "job 7", "after": UUID(int=0), "limit": 5}, 10),
        ("observe", one["observe"], identity | location, 1),
        ("exact", many["exact"], identity, 1),
        ("rare", many["containing"], identity | {"client_refs": _refs(path="p/7"), "limit": 9}, 9),
        (
            "shared",
            many["containing"],
            identity | {"client_refs": _refs(account="a"), "limit": 9},
            9,
        ),
        (
            "history",
            many["history"],
            {"asset_id": _md5(filled, "asset 0"), "below": 900, "limit": 10},
            10,
        ),
        ("chain", many["chain"], middle | {"direction": "both", "limit": 10}, 10),
        ("backward", many["chain"], middle | {"direction": "backward", "limit": 10}, 10),
        ("forward", many["chain"], middle | {"direction": "forward", "limit": 10}, 10),
    ]
    for name, statement, parameters, bound in cases:
        plan = explain(filled, statement, parameters)
        assert not [node for node in plan if node["Node Type"] == "Seq Scan"], name
        touched = [
            node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            for node in plan
            if "Relation Name" in node
        ]
        assert touched, name
        assert max(touched) <= bound, name
    covered = {
        name
        for _, statement, _, _ in cases
        for name in (one | many)
        if (one | many)[name] == statement
    }
    writes = {"register", "move_processing", "move_disposition"}
    assert (one | many).keys() == covered | writes


def test_a_chain_of_1000_costs_one_pass_over_its_rows(
    filled: psycopg.Connection[DictRow],
) -> None:
    statement = load_queries(assets.__file__)["chain"]
    parameters = {
        "artifact_id": _md5(filled, "revision 1"),
        "direction": "both",
        "after": -(2**31),
        "limit": 1001,
    }
    plan = explain(filled, statement, parameters)
    loops = [node["Actual Loops"] for node in plan if node["Node Type"] == "Limit"]
    assert max(loops) == 1
