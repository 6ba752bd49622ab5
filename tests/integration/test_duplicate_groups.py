"""Contents that several assets hold, and what the copies cost."""

from itertools import count
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import InvalidInput
from shared.models.artifacts import Artifact, ArtifactRegistration
from shared.models.duplicates import DuplicateGroup
from shared.models.registrations import Origin
from shared.repositories.artifacts import Observation
from shared.services.artifact_service import ArtifactService
from shared.services.transitions import ContentFacts
from tests.integration.registering import create, hash_of

SIZE = 100
_NUMBERS = count()


def located(path: str, **fields: Any) -> dict[str, Any]:
    return {"storage_account": "a", "container": "c", "blob_path": path} | fields


def hold(service: ArtifactService, content: str | None = "same", **fields: Any) -> Artifact:
    """Register a content for an asset of its own."""
    given: dict[str, Any] = {"client_refs": {"n": next(_NUMBERS)}, "size_bytes": SIZE}
    return create(service, content, **(given | fields))


def only_group(service: ArtifactService) -> DuplicateGroup:
    (group,) = service.list_duplicate_groups().groups
    return group


def test_a_group_tells_who_holds_a_content_and_what_the_copies_cost(
    artifacts: ArtifactService,
) -> None:
    hold(artifacts, client_type="data360", **located("p1"))
    refs = {"n": "twice"}
    for path in ("p2", "p3"):
        hold(artifacts, client_refs=refs, register_unchanged=True, **located(path))
    hold(artifacts, "other")
    assert only_group(artifacts) == DuplicateGroup(
        content_hash=hash_of("same"),
        size_bytes=SIZE,
        artifact_count=3,
        asset_count=2,
        clients={"data360": 1, "ddh": 2},
        copies=3,
        duplicate_bytes=2 * SIZE,
        is_capped=False,
    )


def test_revisions_of_one_asset_are_no_group(artifacts: ArtifactService) -> None:
    refs = {"n": "one"}
    for path in ("p1", "p2"):
        hold(artifacts, client_refs=refs, register_unchanged=True, **located(path))
    listed = artifacts.list_duplicate_groups()
    assert (listed.groups, listed.next) == ([], None)


def test_a_group_ends_when_fewer_than_two_assets_hold_the_content_and_comes_back(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    first, second, third = (hold(artifacts, **located(f"p{n}")) for n in range(3))
    artifacts.mark_deleted(first.artifact_id)
    assert only_group(artifacts).artifact_count == 2
    assert only_group(artifacts).duplicate_bytes == SIZE
    artifacts.mark_archived(second.artifact_id)
    assert only_group(artifacts).copies == 2
    artifacts.mark_deleted(second.artifact_id)
    assert artifacts.list_duplicate_groups().groups == []
    assert sql.execute("SELECT FROM registry.duplicated_content").fetchone() is None
    hold(artifacts, **located("p4"))
    assert only_group(artifacts).artifact_count == 2
    assert third.status == "active"


def test_a_content_that_becomes_known_on_completion_joins_its_group(
    artifacts: ArtifactService,
) -> None:
    hold(artifacts, **located("p1"))
    pending = hold(artifacts, None, processing="pending", **located("p2"))
    assert artifacts.list_duplicate_groups().groups == []
    artifacts.complete(pending.artifact_id, ContentFacts(content_hash=hash_of("same")))
    assert only_group(artifacts).copies == 2


def test_bytes_that_are_still_to_come_or_never_will_are_no_copy(
    artifacts: ArtifactService,
) -> None:
    hold(artifacts, **located("p1"))
    pending = hold(artifacts, processing="pending", **located("p2"))
    assert (only_group(artifacts).artifact_count, only_group(artifacts).copies) == (2, 1)
    artifacts.fail(pending.artifact_id)
    assert only_group(artifacts).copies == 1


PLACES: list[tuple[list[dict[str, Any]], int]] = [
    ([located("p"), located("p")], 1),
    ([located("p"), located("q")], 2),
    ([located("p"), located("p", storage_account="b")], 2),
    ([located("p"), located("p", container="d")], 2),
    ([located("p", blob_version_id="1"), located("p", blob_version_id="2")], 2),
    ([located("p", blob_version_id="1"), located("p", blob_version_id="1")], 1),
    ([located("p", uri="https://x/1"), located("p", uri="https://x/2")], 1),
    ([{"uri": "https://x/1"}, {"uri": "https://x/1"}], 1),
    ([{"uri": "https://x/1"}, {"uri": "https://x/2"}], 2),
    ([{"data": {"a": 1}}, {"data": {"a": 1}}], 2),
    ([{"data": 0}, {}], 1),
    ([{}, {}], 0),
    ([{"uri": "https://x/1"}, located("p"), {"data": 1}, {}], 3),
]


@pytest.mark.parametrize(("places", "copies"), PLACES)
def test_copies_are_places_not_records(
    artifacts: ArtifactService, places: list[dict[str, Any]], copies: int
) -> None:
    for place in places:
        hold(artifacts, **place)
    group = only_group(artifacts)
    assert (group.artifact_count, group.copies) == (len(places), copies)
    assert group.duplicate_bytes == max(copies - 1, 0) * SIZE


def test_a_location_that_was_overwritten_since_holds_the_bytes_no_more(
    artifacts: ArtifactService,
) -> None:
    refs = {"n": "in place"}
    hold(artifacts, **located("elsewhere"))
    hold(artifacts, client_refs=refs, **located("p"))
    assert only_group(artifacts).copies == 2
    hold(artifacts, "other", client_refs=refs, **located("p"))
    group = only_group(artifacts)
    assert (group.artifact_count, group.asset_count, group.copies) == (2, 2, 1)
    hold(artifacts, client_refs=refs, **located("p"))
    group = only_group(artifacts)
    assert (group.artifact_count, group.copies, group.duplicate_bytes) == (3, 2, SIZE)


@pytest.mark.parametrize(("later", "copies"), [("other", 1), (None, 1), ("same", 2)])
def test_another_asset_overwrites_a_location_as_well(
    artifacts: ArtifactService, later: str | None, copies: int
) -> None:
    hold(artifacts, **located("elsewhere"))
    hold(artifacts, **located("p"))
    hold(artifacts, later, client_type="other", **located("p"))
    assert only_group(artifacts).copies == copies


def test_what_is_pending_at_a_location_overwrote_nothing_yet(artifacts: ArtifactService) -> None:
    hold(artifacts, **located("elsewhere"))
    hold(artifacts, **located("p"))
    pending = hold(artifacts, "other", processing="pending", **located("p"))
    assert only_group(artifacts).copies == 2
    artifacts.complete(pending.artifact_id)
    assert only_group(artifacts).copies == 1


def test_a_version_stays_although_its_name_was_overwritten(artifacts: ArtifactService) -> None:
    hold(artifacts, **located("elsewhere"))
    hold(artifacts, **located("p", blob_version_id="1"))
    hold(artifacts, "other", **located("p", blob_version_id="2"))
    assert only_group(artifacts).copies == 2


def test_what_was_seen_later_counts_not_what_was_registered_later(
    artifacts: ArtifactService,
) -> None:
    hold(artifacts, **located("elsewhere"))

    def observe(content: str, number: int) -> None:
        registration = ArtifactRegistration.model_validate(
            located("p", blob_etag=content)
            | {"client_type": "blob", "client_refs": {"seen by": number}}
            | {"content_hash": hash_of(content), "size_bytes": SIZE}
        )
        artifacts.register(registration, Origin("test"), Observation(number, None))

    observe("same", 5)
    observe("other", 4)
    assert only_group(artifacts).copies == 2
    observe("another", 6)
    assert only_group(artifacts).copies == 1


def test_a_size_that_nobody_knows_costs_nothing(artifacts: ArtifactService) -> None:
    for path in ("p", "q"):
        hold(artifacts, size_bytes=None, **located(path))
    group = only_group(artifacts)
    assert (group.copies, group.size_bytes, group.duplicate_bytes) == (2, None, 0)


def test_costs_outgrow_64_bits(artifacts: ArtifactService) -> None:
    for path in ("p", "q", "r"):
        hold(artifacts, size_bytes=2**63 - 1, **located(path))
    assert only_group(artifacts).duplicate_bytes == 2 * (2**63 - 1)


def fill(service: ArtifactService) -> dict[str, str]:
    """Contents of which clients: each letter holds one."""
    held = {"aa": "", "ab": "", "bb": "", "bc": "", "abc": "", "cc": "", "c": ""}
    for clients in held:
        for client in clients:
            hold(service, f"content of {clients}", client_type=client)
    return {hash_of(f"content of {clients}"): clients for clients in held}


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"aa", "ab", "bb", "bc", "abc", "cc"}),
    ({"across_clients": True}, {"ab", "bc", "abc"}),
    ({"client_type": "a"}, {"aa", "ab", "abc"}),
    ({"client_type": "a", "across_clients": True}, {"ab", "abc"}),
    ({"client_type": "nobody"}, set()),
    ({"client_type": ""}, set()),
]


@pytest.mark.parametrize("limit", [1, 2, 20])
@pytest.mark.parametrize(("wanted", "expected"), FILTERS)
def test_groups_are_listed_once_each_page_by_page(
    artifacts: ArtifactService, wanted: dict[str, Any], expected: set[str], limit: int
) -> None:
    names = fill(artifacts)
    told: list[str] = []
    cursor = None
    for _ in range(20):
        page = artifacts.list_duplicate_groups(limit=limit, cursor=cursor, **wanted)
        assert len(page.groups) <= limit
        told += [group.content_hash for group in page.groups]
        cursor = page.next
        if cursor is None:
            break
    assert cursor is None
    assert told == sorted(told)
    assert {names[content_hash] for content_hash in told} == expected
    assert len(told) == len(expected)


def test_a_full_last_page_has_no_next(artifacts: ArtifactService) -> None:
    fill(artifacts)
    assert artifacts.list_duplicate_groups(limit=6).next is None


def test_a_cursor_belongs_to_its_filter(artifacts: ArtifactService) -> None:
    fill(artifacts)
    cursor = artifacts.list_duplicate_groups(limit=1, client_type="a").next
    assert cursor
    others: list[dict[str, Any]] = [{}, {"client_type": "b"}]
    others.append({"client_type": "a", "across_clients": True})
    for other in others:
        with pytest.raises(InvalidInput) as refused:
            artifacts.list_duplicate_groups(cursor=cursor, **other)
        assert refused.value.pointer == "/cursor"


MANY = """
SET session_replication_role = replica;  -- rows made whole here need no guard while they load
INSERT INTO registry.assets
    (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
SELECT md5('asset ' || i)::uuid, 'client', jsonb_build_object('n', i), 1,
       md5('artifact ' || i)::uuid, now()
FROM generate_series(1, 6000) AS i;
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, content_hash, processing, stage, created_at, updated_at)
SELECT md5('artifact ' || i)::uuid, md5('asset ' || i)::uuid, 1,
       '1220' || encode(sha256((i / 2)::text::bytea), 'hex'), 'completed', 'intermediate',
       now(), now()
FROM generate_series(1, 6000) AS i;
INSERT INTO registry.duplicated_content
SELECT content_hash FROM registry.artifacts GROUP BY content_hash HAVING count(*) > 1;
SET session_replication_role = DEFAULT;
"""


def test_a_page_looks_at_a_bounded_number_of_groups_and_the_list_goes_on(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(MANY.encode())
    pages = 0
    cursor = None
    while pages == 0 or cursor is not None:
        page = artifacts.list_duplicate_groups(across_clients=True, cursor=cursor)
        assert page.groups == []
        cursor = page.next
        pages += 1
    assert pages == 3
    assert len(artifacts.list_duplicate_groups(limit=700).groups) == 700
