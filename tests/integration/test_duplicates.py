"""The same bytes, whoever registered them: found by one indexed query."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from shared.database.queries import load_queries
from shared.errors import InvalidInput
from shared.models.artifacts import Artifact
from shared.models.chains import MAXIMUM_PAGE
from shared.models.cursors import write_cursor
from shared.repositories import duplicates
from shared.services.artifact_service import ArtifactService
from tests.integration.plans import touched
from tests.integration.registering import REFS, create, hash_of

HASH = hash_of("same")
SPELLINGS = [HASH, HASH.upper(), HASH[4:], HASH[4:].upper(), "sha256:" + HASH[4:]]
NO_HASHES = ["x", HASH[:-1], HASH + "0", HASH[4:-1] + "g", "1221" + HASH[4:], "sha1:" + HASH[4:]]
STRANGE = ["\x00", " " + HASH, HASH + "\n", "\ud800", "é" * 64, "1220"]


def ids(artifacts: list[Artifact]) -> list[UUID]:
    return [artifact.artifact_id for artifact in artifacts]


@pytest.mark.parametrize("content_hash", SPELLINGS)
def test_the_same_bytes_are_found_however_their_hash_is_written(
    artifacts: ArtifactService, content_hash: str
) -> None:
    made = create(artifacts, "same")
    create(artifacts, "other", client_refs={"n": 2})
    assert artifacts.check_duplicate_content("ddh", REFS, content_hash) == made
    assert artifacts.find_duplicates(content_hash).artifacts == [made]


@pytest.mark.parametrize("content_hash", NO_HASHES + STRANGE)
def test_what_is_no_hash_is_refused(artifacts: ArtifactService, content_hash: str) -> None:
    for ask in (
        lambda: artifacts.check_duplicate_content("ddh", REFS, content_hash),
        lambda: artifacts.find_duplicates(content_hash),
        lambda: artifacts.decide_overwrite("ddh", REFS, content_hash=content_hash, metadata={}),
    ):
        with pytest.raises(InvalidInput) as refused:
            ask()
        assert refused.value.pointer == "/content_hash"


@pytest.mark.parametrize("unknown", [None, ""])
def test_an_unknown_hash_equals_nothing(artifacts: ArtifactService, unknown: str | None) -> None:
    create(artifacts)
    create(artifacts, client_refs={"n": 2})
    assert artifacts.check_duplicate_content("ddh", REFS, unknown) is None
    found = artifacts.find_duplicates(unknown)
    assert (found.artifacts, found.next) == ([], None)
    assert artifacts.list_duplicate_groups().groups == []


def test_only_the_current_artifact_of_exactly_this_asset_is_a_duplicate_of_it(
    artifacts: ArtifactService,
) -> None:
    first = create(artifacts, "same")
    assert artifacts.check_duplicate_content("ddh", REFS, HASH) == first
    some: dict[str, JsonValue] = {"dataset_id": "flood-2024"}
    assert artifacts.check_duplicate_content("ddh", some, HASH) is None
    assert artifacts.check_duplicate_content("other", REFS, HASH) is None
    assert artifacts.check_duplicate_content("ddh", REFS | {"more": 1}, HASH) is None
    create(artifacts, "newer")
    assert artifacts.check_duplicate_content("ddh", REFS, HASH) is None


@pytest.mark.parametrize("end", ["mark_archived", "mark_deleted"])
def test_an_asset_without_a_current_artifact_has_no_duplicate(
    artifacts: ArtifactService, end: str
) -> None:
    made = create(artifacts, "same")
    getattr(artifacts, end)(made.artifact_id)
    assert artifacts.check_duplicate_content("ddh", REFS, HASH) is None


def test_references_are_told_apart_by_type_and_not_by_the_order_of_keys(
    artifacts: ArtifactService,
) -> None:
    made = create(artifacts, "same", client_refs={"a": 1, "b": True})
    same = artifacts.check_duplicate_content("ddh", {"b": True, "a": 1.0}, HASH)
    assert same == made
    assert artifacts.check_duplicate_content("ddh", {"a": "1", "b": True}, HASH) is None
    assert artifacts.check_duplicate_content("ddh", {"a": 1, "b": 1}, HASH) is None
    with pytest.raises(InvalidInput):
        artifacts.check_duplicate_content("ddh", {}, HASH)


@pytest.mark.parametrize("client_type", ["a\x00b", "\ud800"])
def test_a_client_type_that_cannot_be_is_refused(
    artifacts: ArtifactService, client_type: str
) -> None:
    for ask in (
        lambda: artifacts.check_duplicate_content(client_type, REFS, HASH),
        lambda: artifacts.list_duplicate_groups(client_type=client_type),
    ):
        with pytest.raises(InvalidInput) as refused:
            ask()
        assert refused.value.pointer == "/client_type"


def test_artifacts_of_every_client_and_status_but_deleted_ones_are_found(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made = [
        create(artifacts, "same", client_type=client, client_refs={"n": n})
        for client in ("ddh", "data360")
        for n in range(3)
    ]
    create(artifacts, "newer", client_refs={"n": 0})
    artifacts.mark_archived(made[1].artifact_id)
    artifacts.mark_deleted(made[2].artifact_id)
    artifacts.mark_deleted(made[5].artifact_id)
    sql.execute(
        "UPDATE registry.artifacts SET disposition = 'purged', purged_at = now() "
        "WHERE artifact_id = %s",
        [made[5].artifact_id],
    )
    found = artifacts.find_duplicates(HASH).artifacts
    assert ids(found) == ids([made[0], made[1], made[3], made[4]])
    assert [a.status for a in found] == ["superseded", "archived", "active", "active"]


def test_pages_tell_each_duplicate_once_and_deleted_ones_take_no_room(
    artifacts: ArtifactService,
) -> None:
    made = [create(artifacts, "same", client_refs={"n": n}) for n in range(9)]
    for gone in made[2:5]:
        artifacts.mark_deleted(gone.artifact_id)
    told: list[UUID] = []
    sizes: list[int] = []
    cursor = None
    while True:
        page = artifacts.find_duplicates(HASH, limit=2, cursor=cursor)
        told += ids(page.artifacts)
        sizes.append(len(page.artifacts))
        cursor = page.next
        if cursor is None:
            break
    assert told == ids(made[:2] + made[5:])
    assert sizes == [2, 2, 2]


def test_revisions_of_one_asset_are_paged_as_well(artifacts: ArtifactService) -> None:
    made = [create(artifacts, "same", register_unchanged=True) for _ in range(3)]
    first = artifacts.find_duplicates(HASH, limit=2)
    second = artifacts.find_duplicates(HASH, limit=2, cursor=first.next)
    assert ids(first.artifacts + second.artifacts) == ids(made)
    assert second.next is None


@pytest.mark.parametrize("limit", [0, -1, MAXIMUM_PAGE + 1])
def test_a_page_of_another_size_is_refused(artifacts: ArtifactService, limit: int) -> None:
    for ask in (
        lambda: artifacts.find_duplicates(HASH, limit=limit),
        lambda: artifacts.list_duplicate_groups(limit=limit),
    ):
        with pytest.raises(InvalidInput) as refused:
            ask()
        assert refused.value.pointer == "/limit"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        write_cursor("job", "x"),
        write_cursor(f"holding-{HASH}", "x"),
        write_cursor(f"holding-{HASH}", ""),
        write_cursor(f"holding-{hash_of('other')}", f"{UUID(int=1)} {UUID(int=1)}"),
    ],
)
def test_a_cursor_of_another_list_is_refused(artifacts: ArtifactService, cursor: str) -> None:
    for ask in (
        lambda: artifacts.find_duplicates(HASH, cursor=cursor),
        lambda: artifacts.list_duplicate_groups(cursor=cursor),
    ):
        with pytest.raises(InvalidInput) as refused:
            ask()
        assert refused.value.pointer == "/cursor"


MANY = """
SET session_replication_role = replica;  -- rows made whole here need no guard while they load
INSERT INTO registry.assets
    (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
SELECT md5('asset ' || i)::uuid, 'client ' || i % 7, jsonb_build_object('n', i), 1,
       md5('artifact ' || i)::uuid, now()
FROM generate_series(1, 6000) AS i;
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, content_hash, size_bytes, storage_account, container,
     blob_path, processing, stage, disposition, deleted_at, created_at, updated_at)
SELECT md5('artifact ' || i)::uuid, md5('asset ' || i)::uuid, 1,
       '1220' || encode(sha256(CASE WHEN i % 3 <> 0 THEN 'same' ELSE i::text END::bytea), 'hex'),
       10, 'a', 'c', CASE WHEN i % 3 <> 0 THEN 'same' ELSE 'p' || i END, 'completed',
       'intermediate', CASE WHEN i % 3 <> 0 AND i <= 4200 THEN 'deleted' ELSE 'live' END,
       now(), now(), now()
FROM generate_series(1, 6000) AS i;
INSERT INTO registry.duplicated_content VALUES ('1220' || encode(sha256('same'), 'hex'));
SET session_replication_role = DEFAULT;
VACUUM ANALYZE registry.assets, registry.artifacts;
"""


@pytest.fixture
def filled(sql: psycopg.Connection[DictRow]) -> psycopg.Connection[DictRow]:
    for statement in MANY.split(";\n"):  # VACUUM goes alone
        sql.execute(statement.encode())
    return sql


def _asked(content: str, behind: int) -> dict[str, Any]:
    after = {"after_asset": UUID(int=behind), "after_artifact": UUID(int=0)}
    return after | {"content_hash": hash_of(content), "limit": 10}


@pytest.mark.parametrize("behind", [0, 1 << 127])
@pytest.mark.parametrize(("content", "found"), [("same", 10), ("9", 1), ("nothing", 0)])
def test_the_same_bytes_are_found_by_one_indexed_query(
    filled: psycopg.Connection[DictRow], content: str, found: int, behind: int
) -> None:
    statement = load_queries(duplicates.__file__)["holding"]
    parameters = _asked(content, behind)
    row = filled.execute(b"EXPLAIN (FORMAT JSON) " + statement, parameters).fetchone()
    assert row
    plan = str(row)
    assert "artifacts_pkey" in plan
    assert "Seq Scan" not in plan
    looked_at = touched(filled, statement, parameters)
    assert (looked_at.scans, looked_at.sequential) == (0, [])
    # Found, read and joined with its asset, and planning looks at the ends of indexes. Deleted
    # ones, two thirds of all, are not even passed.
    assert looked_at.rows <= 3 * found + 10
    assert looked_at.entries <= 3 * found + 10


def test_asking_before_processing_touches_one_asset_and_its_artifact(
    filled: psycopg.Connection[DictRow],
) -> None:
    statement = load_queries(duplicates.__file__)["current_of"]
    parameters = {"client_type": "client 0", "client_refs": Jsonb({"n": 7})}
    looked_at = touched(filled, statement, parameters)
    assert 0 < looked_at.rows <= 4
    assert (looked_at.scans, looked_at.sequential) == (0, [])


def test_a_content_of_very_many_artifacts_is_counted_to_a_bound(
    filled: psycopg.Connection[DictRow], artifacts: ArtifactService
) -> None:
    (group,) = artifacts.list_duplicate_groups().groups
    assert (group.artifact_count, group.asset_count) == (1000, 1000)
    assert group.is_capped
    assert sum(group.clients.values()) == 1000
    assert (group.copies, group.duplicate_bytes) == (1, 0)
