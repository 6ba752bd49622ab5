"""Finding artifacts again, page by page."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import ArtifactNotFound, InvalidInput
from shared.models.artifacts import Artifact
from shared.models.chains import MAXIMUM_PAGE, Direction, Match
from shared.models.cursors import name_list, write_cursor
from shared.models.entity_tags import entity_tag
from shared.services.artifact_service import ArtifactService
from tests.integration.clock import TickingClock

REFS = {"dataset_id": "flood", "resource_id": "a"}


def revisions(service: ArtifactService, count: int, **fields: Any) -> list[Artifact]:
    given: dict[str, Any] = {"client_type": "ddh", "client_refs": REFS, "overwrite": True}
    return [service.create_artifact(**(given | fields)) for _ in range(count)]


def ids(artifacts: list[Artifact]) -> list[UUID]:
    return [artifact.artifact_id for artifact in artifacts]


def test_history_tells_every_revision_newest_first(artifacts: ArtifactService) -> None:
    made = revisions(artifacts, 3)
    history = artifacts.get_history("ddh", REFS)
    assert ids(history.artifacts) == ids(made[::-1])
    assert (history.match, history.revision_count, history.next) == (Match.EXACT, 3, None)


def test_history_goes_on_page_by_page(artifacts: ArtifactService) -> None:
    made = revisions(artifacts, 5)
    told: list[UUID] = []
    cursor = None
    for _ in range(3):
        page = artifacts.get_history("ddh", REFS, limit=2, cursor=cursor)
        told += ids(page.artifacts)
        cursor = page.next
    assert told == ids(made[::-1])
    assert cursor is None


def test_partial_references_find_by_containment_and_say_so(artifacts: ArtifactService) -> None:
    revisions(artifacts, 2)
    revisions(artifacts, 1, client_refs={"dataset_id": "flood", "resource_id": "b"})
    history = artifacts.get_history("ddh", {"dataset_id": "flood"})
    assert (history.match, history.matched_assets) == (Match.CONTAINMENT, 2)
    assert history.client_refs == REFS
    assert history.revision_count == 2


def test_an_exact_asset_is_told_before_wider_ones(artifacts: ArtifactService) -> None:
    revisions(artifacts, 1)
    (exact,) = revisions(artifacts, 1, client_refs={"dataset_id": "flood"})
    history = artifacts.get_history("ddh", {"dataset_id": "flood"})
    assert (history.match, ids(history.artifacts)) == (Match.EXACT, [exact.artifact_id])


def test_an_unknown_asset_has_an_empty_history(artifacts: ArtifactService) -> None:
    history = artifacts.get_history("ddh", {"no": "body"})
    assert (history.match, history.revision_count, history.artifacts) == (Match.NONE, 0, [])


def test_a_stac_item_is_found_by_its_active_artifact(artifacts: ArtifactService) -> None:
    fields: dict[str, Any] = {"stac_collection_id": "c", "stac_item_id": "i"}
    made = revisions(artifacts, 2, **fields)
    artifacts.create_artifact(
        client_type="ddh", client_refs={"o": "1"}, processing="pending", **fields
    )
    assert artifacts.get_by_stac("c", "i").artifact_id == made[1].artifact_id
    with pytest.raises(ArtifactNotFound):
        artifacts.get_by_stac("c", "other")


def test_a_job_tells_what_it_made_page_by_page(artifacts: ArtifactService) -> None:
    made = revisions(artifacts, 3, source_job_id="job-1")
    revisions(artifacts, 1, source_job_id="job-2")
    first = artifacts.get_by_job("job-1", limit=2)
    second = artifacts.get_by_job("job-1", limit=2, cursor=first.next)
    assert ids(first.artifacts + second.artifacts) == ids(made)
    assert second.next is None
    assert artifacts.get_by_job("nobody").artifacts == []


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.BOTH, [0, 1, 2, 3, 4]),
        (Direction.BACKWARD, [2, 1, 0]),
        (Direction.FORWARD, [2, 3, 4]),
    ],
)
def test_a_chain_is_followed_in_each_direction_page_by_page(
    artifacts: ArtifactService, direction: Direction, expected: list[int]
) -> None:
    made = revisions(artifacts, 5)
    told: list[UUID] = []
    cursor = None
    while True:
        page = artifacts.get_supersession_chain(
            made[2].artifact_id, direction, limit=2, cursor=cursor
        )
        assert page.chain_length == len(expected)
        told += ids(page.artifacts)
        cursor = page.next
        if cursor is None:
            break
    assert told == [made[index].artifact_id for index in expected]


def test_a_chain_reads_through_tombstones_and_ends_where_nothing_was_superseded(
    artifacts: ArtifactService,
) -> None:
    made = revisions(artifacts, 3)
    artifacts.mark_deleted(made[1].artifact_id)
    artifacts.mark_deleted(made[2].artifact_id)
    (after,) = revisions(artifacts, 1)
    assert ids(artifacts.get_supersession_chain(made[0].artifact_id).artifacts) == ids(made)
    assert ids(artifacts.get_supersession_chain(after.artifact_id).artifacts) == [after.artifact_id]


def test_history_reads_through_tombstones(artifacts: ArtifactService) -> None:
    made = revisions(artifacts, 3)
    artifacts.mark_deleted(made[2].artifact_id)
    artifacts.mark_deleted(made[0].artifact_id)
    history = artifacts.get_history("ddh", REFS)
    assert ids(history.artifacts) == ids(made[::-1])
    assert [told.status for told in history.artifacts] == ["deleted", "superseded", "deleted"]


LONG_CHAIN = """
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, supersedes, superseded_by, processing, stage,
     created_at, updated_at)
SELECT md5('revision ' || i)::uuid, asset_id, i,
       CASE WHEN i > 2 THEN md5('revision ' || i - 1)::uuid END,
       CASE WHEN i < 1000 THEN md5('revision ' || i + 1)::uuid END,
       'completed', 'intermediate', now(), now()
FROM registry.assets CROSS JOIN generate_series(2, 1000) AS i
"""


@pytest.mark.parametrize("direction", Direction)
def test_a_chain_of_a_thousand_is_told_whole_page_by_page(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], direction: Direction
) -> None:
    (first,) = revisions(artifacts, 1)
    sql.execute("SET session_replication_role = replica")
    sql.execute(
        "UPDATE registry.artifacts SET superseded_by = md5('revision 2')::uuid WHERE revision = 1"
    )
    sql.execute(LONG_CHAIN)
    sql.execute(
        "UPDATE registry.artifacts SET supersedes = %s WHERE revision = 2", [first.artifact_id]
    )
    newest = artifacts.get_history("ddh", REFS, limit=1).artifacts[0]
    start = newest if direction is Direction.BACKWARD else first
    told: list[int] = []
    cursor = None
    for _ in range(4):
        page = artifacts.get_supersession_chain(
            start.artifact_id, direction, limit=300, cursor=cursor
        )
        assert page.chain_length == 1000
        told += [artifact.revision for artifact in page.artifacts]
        cursor = page.next
    assert cursor is None
    assert told == sorted(range(1, 1001), reverse=direction is Direction.BACKWARD)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("limit", [1, 1000])
def test_a_corrupt_loop_ends(
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
    direction: Direction,
    limit: int,
) -> None:
    made = revisions(artifacts, 3)
    sql.execute("SET session_replication_role = replica")  # past every guard, as corruption is
    sql.execute(
        "UPDATE registry.artifacts SET supersedes = CASE revision WHEN 1 THEN %(last)s"
        " ELSE supersedes END, superseded_by = CASE revision WHEN 3 THEN %(first)s"
        " ELSE superseded_by END",
        {"first": made[0].artifact_id, "last": made[2].artifact_id},
    )
    told: list[UUID] = []
    cursor = None
    for _ in range(4):
        page = artifacts.get_supersession_chain(
            made[1].artifact_id, direction, limit=limit, cursor=cursor
        )
        told += ids(page.artifacts)
        cursor = page.next
        if cursor is None:
            break
    assert cursor is None
    assert len(told) == len(set(told))


def test_cursors_of_another_list_are_refused(artifacts: ArtifactService) -> None:
    revisions(artifacts, 3)
    cursor = artifacts.get_history("ddh", REFS, limit=1).next
    with pytest.raises(InvalidInput):
        artifacts.get_by_job("job", cursor=cursor)


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("position", [2**31 - 1, -(2**31), 2**63 - 1, -(2**63)])
def test_a_chain_refuses_a_position_that_no_revision_can_have(
    artifacts: ArtifactService, direction: Direction, position: int
) -> None:
    made = revisions(artifacts, 1)[0]
    with pytest.raises(InvalidInput) as refused:
        artifacts.get_supersession_chain(
            made.artifact_id,
            direction,
            cursor=write_cursor(name_list("chain", made.artifact_id, direction), position),
        )
    assert refused.value.pointer == "/cursor"


def test_times_are_told_in_utc_whatever_the_time_zone_of_the_database(
    artifacts: ArtifactService,
    database_url: str,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    made = revisions(artifacts, 1, expires_at="2030-07-01T00:00:00Z")[0]
    name = sql.info.dbname
    sql.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Europe/Berlin'".encode())
    elsewhere = Database(database_url, size=1, timeout_seconds=10)
    try:
        found = ArtifactService(elsewhere, clock).get_by_id(made.artifact_id)
    finally:
        elsewhere.close()
    assert found.model_dump_json() == made.model_dump_json()
    assert entity_tag(found) == entity_tag(made)


def test_a_cursor_goes_on_with_the_list_that_it_came_from_and_no_other(
    artifacts: ArtifactService,
) -> None:
    made = revisions(artifacts, 3, source_job_id="one job")[1].artifact_id
    revisions(artifacts, 2, client_refs={"other": 1}, source_job_id="another job")
    both = Direction.BOTH
    history = artifacts.get_history("ddh", REFS, limit=1).next
    job = artifacts.get_by_job("one job", limit=1).next
    chain = artifacts.get_supersession_chain(made, both, limit=1).next
    foreign = [
        lambda: artifacts.get_history("ddh", {"other": 1}, cursor=history),
        lambda: artifacts.get_by_job("another job", cursor=job),
        lambda: artifacts.get_supersession_chain(made, Direction.FORWARD, cursor=chain),
    ]
    for read in foreign:
        with pytest.raises(InvalidInput) as refused:
            read()
        assert refused.value.pointer == "/cursor"


@pytest.mark.parametrize("text", ["nul \x00", "surrogate \ud800"])
def test_texts_that_nothing_can_have_are_refused(artifacts: ArtifactService, text: str) -> None:
    for read in (
        lambda: artifacts.get_by_job(text),
        lambda: artifacts.get_by_stac(text, "item"),
        lambda: artifacts.get_by_stac("collection", text),
        lambda: artifacts.get_history(text, {"a": 1}),
        lambda: artifacts.get_by_client_refs(text, {"a": 1}),
    ):
        with pytest.raises(InvalidInput):
            read()


@pytest.mark.parametrize("limit", [0, -1, MAXIMUM_PAGE + 1])
def test_a_page_has_its_bounds(artifacts: ArtifactService, limit: int) -> None:
    (made,) = revisions(artifacts, 1)
    for read in (
        lambda: artifacts.get_by_job("job", limit=limit),
        lambda: artifacts.get_history("ddh", {"a": 1}, limit=limit),
        lambda: artifacts.get_supersession_chain(made.artifact_id, limit=limit),
    ):
        with pytest.raises(InvalidInput):
            read()
