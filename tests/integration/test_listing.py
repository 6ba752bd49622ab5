"""Listing artifacts by everything that can be known of them, page by page."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import JsonValue

from shared.errors import InvalidInput
from shared.models.artifacts import Artifact
from shared.models.axes import Status
from shared.models.chains import MAXIMUM_PAGE
from shared.models.cursors import write_cursor
from shared.models.listings import ArtifactFilter, ArtifactSort
from shared.services.artifact_service import ArtifactService
from tests.integration.registering import create, hash_of

A_FEW = b"""
CREATE OR REPLACE FUNCTION registry.shortlist_limit() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 5
"""


def ids(artifacts: list[Artifact]) -> list[UUID]:
    return [artifact.artifact_id for artifact in artifacts]


def listed(service: ArtifactService, **wanted: Any) -> set[UUID]:
    page = service.list_artifacts(ArtifactFilter(**wanted))
    assert page.next is None
    return set(ids(page.artifacts))


def fill(service: ArtifactService, count: int, **fields: Any) -> list[Artifact]:
    return [create(service, client_refs={"n": n}, **fields) for n in range(count)]


@pytest.mark.parametrize("limit", [0, -1, MAXIMUM_PAGE + 1])
def test_a_page_of_another_size_is_refused(artifacts: ArtifactService, limit: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        artifacts.list_artifacts(ArtifactFilter(), limit=limit)
    assert refused.value.pointer == "/limit"


def test_an_empty_registry_lists_nothing(artifacts: ArtifactService) -> None:
    page = artifacts.list_artifacts(ArtifactFilter())
    assert (page.artifacts, page.next) == ([], None)


@pytest.mark.parametrize("sort", ArtifactSort)
def test_each_sort_lists_everything_once_page_by_page(
    artifacts: ArtifactService, sort: ArtifactSort
) -> None:
    made = fill(artifacts, 5)
    artifacts.mark_archived(made[1].artifact_id)
    order = [0, 2, 3, 4, 1] if sort.is_by_update else [0, 1, 2, 3, 4]
    told: list[UUID] = []
    cursor = None
    for _ in range(3):
        page = artifacts.list_artifacts(ArtifactFilter(), sort=sort, limit=2, cursor=cursor)
        told += ids(page.artifacts)
        cursor = page.next
    assert cursor is None
    expected = [made[index].artifact_id for index in order]
    assert told == (expected[::-1] if sort.is_descending else expected)


def test_what_is_registered_while_paging_neither_repeats_nor_hides_anything(
    artifacts: ArtifactService,
) -> None:
    made = fill(artifacts, 4)
    first = artifacts.list_artifacts(ArtifactFilter(), limit=2)
    create(artifacts, client_refs={"late": True})
    second = artifacts.list_artifacts(ArtifactFilter(), limit=2, cursor=first.next)
    assert ids(first.artifacts + second.artifacts) == ids(made[::-1])
    assert second.next is None


def test_artifacts_of_one_instant_are_paged_by_their_ids(artifacts: ArtifactService) -> None:
    made = fill(artifacts, 2)
    artifacts._clock = lambda: made[1].created_at  # pyright: ignore[reportPrivateUsage] - time stands
    made += fill(artifacts, 3, client_type="other")
    told: list[UUID] = []
    cursor = None
    for _ in range(5):
        page = artifacts.list_artifacts(ArtifactFilter(), limit=1, cursor=cursor)
        told += ids(page.artifacts)
        cursor = page.next
    assert (sorted(told, reverse=True), cursor) == (told, None)
    assert set(told) == set(ids(made))


def test_a_cursor_of_another_filter_or_sort_is_refused(artifacts: ArtifactService) -> None:
    fill(artifacts, 3)
    cursor = artifacts.list_artifacts(ArtifactFilter(client_type="ddh"), limit=1).next
    others: list[tuple[ArtifactFilter, ArtifactSort]] = [
        (ArtifactFilter(client_type="other"), ArtifactSort.CREATED_DESCENDING),
        (ArtifactFilter(), ArtifactSort.CREATED_DESCENDING),
        (ArtifactFilter(client_type="ddh"), ArtifactSort.CREATED),
        (ArtifactFilter(client_type="ddh"), ArtifactSort.UPDATED_DESCENDING),
    ]
    for wanted, sort in others:
        with pytest.raises(InvalidInput) as refused:
            artifacts.list_artifacts(wanted, sort=sort, cursor=cursor)
        assert refused.value.pointer == "/cursor"


@pytest.mark.parametrize("position", ["", "x", "x 2026-01-01T00:00:00Z", f"{UUID(int=1)} 2026"])
def test_a_made_up_cursor_is_refused(artifacts: ArtifactService, position: str) -> None:
    name = f"list{ArtifactSort.CREATED_DESCENDING}-{ArtifactFilter().fingerprint}"
    for cursor in ("", "=", "ä", write_cursor(name, position)):
        with pytest.raises(InvalidInput) as refused:
            artifacts.list_artifacts(ArtifactFilter(), cursor=cursor)
        assert refused.value.pointer == "/cursor"


def test_a_cursor_fits_the_same_references_in_another_order(artifacts: ArtifactService) -> None:
    refs: dict[str, JsonValue] = {"a": 1, "b": 2}
    for n in range(2):
        create(artifacts, client_refs=refs | {"n": n})
    cursor = artifacts.list_artifacts(ArtifactFilter(client_refs=refs), limit=1).next
    turned = ArtifactFilter(client_refs={"b": 2.0, "a": 1})
    assert len(artifacts.list_artifacts(turned, cursor=cursor).artifacts) == 1


def test_the_start_of_a_range_of_time_is_in_it_and_its_end_is_not(
    artifacts: ArtifactService,
) -> None:
    made = fill(artifacts, 4)
    second, fourth = made[1].created_at, made[3].created_at
    between = {made[1].artifact_id, made[2].artifact_id}
    for of in ("created", "updated"):
        wanted = ArtifactFilter.model_validate({f"{of}_from": second, f"{of}_before": fourth})
        for sort in ArtifactSort:
            page = artifacts.list_artifacts(wanted, sort=sort)
            assert (set(ids(page.artifacts)), page.next) == (between, None)
    assert listed(artifacts, created_from=fourth + timedelta(microseconds=1)) == set()


@pytest.mark.parametrize("sort", ArtifactSort)
def test_a_page_may_be_empty_and_go_on_but_never_beyond_the_range_of_time(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], sort: ArtifactSort
) -> None:
    sql.execute(A_FEW)
    made = fill(artifacts, 40)
    start, end = made[10].created_at, made[30].created_at
    of = "updated" if sort.is_by_update else "created"
    times = {f"{of}_from": start, f"{of}_before": end}
    wanted = ArtifactFilter.model_validate({"artifact_type": "none", **times})
    cursor = None
    for _ in range(4):
        page = artifacts.list_artifacts(wanted, sort=sort, limit=2, cursor=cursor)
        assert page.artifacts == []
        assert page.next
        cursor = page.next
    assert artifacts.list_artifacts(wanted, sort=sort, limit=2, cursor=cursor).next is None


def test_types_of_references_and_metadata_matter_and_the_order_of_keys_does_not(
    artifacts: ArtifactService,
) -> None:
    values: list[Any] = [1, "1", True, None, [1], {"x": 1, "y": [2]}]
    for value in values:
        document = {"k": value, "other": "o"}
        create(artifacts, client_refs=document, metadata=document)
    for index, value in enumerate(values):
        for field in ("client_refs", "metadata"):
            wanted = {field: {"other": "o", "k": value}, "client_type": "ddh"}
            page = artifacts.list_artifacts(ArtifactFilter.model_validate(wanted))
            assert [found.client_refs["k"] for found in page.artifacts] == [values[index]]
            assert type(page.artifacts[0].client_refs["k"]) is type(value)


def test_numbers_in_metadata_are_equal_however_they_are_written(
    artifacts: ArtifactService,
) -> None:
    made = create(artifacts, metadata={"resolution": 10.0})
    for written in (10, 10.0, 1e1):
        assert listed(artifacts, metadata={"resolution": written}) == {made.artifact_id}


def test_metadata_deep_inside_are_found_as_well(artifacts: ArtifactService) -> None:
    made = create(artifacts, metadata={"a": {"b": [1, {"c": "d"}]}, "e": 1})
    assert listed(artifacts, metadata={"a": {"b": [{"c": "d"}]}}) == {made.artifact_id}
    assert listed(artifacts, metadata={"a": {"b": [2]}}) == set()
    assert listed(artifacts, metadata={}) == {made.artifact_id}


def test_metadata_that_were_replaced_no_longer_find_their_artifact(
    artifacts: ArtifactService,
) -> None:
    made = create(artifacts, metadata={"title": "old", "kept": 1})
    artifacts.update_metadata(made.artifact_id, {"title": "new"})
    assert listed(artifacts, metadata={"title": "old"}) == set()
    assert listed(artifacts, metadata={"title": "new", "kept": 1}) == {made.artifact_id}


@pytest.mark.parametrize("status", Status)
def test_each_status_lists_its_own(artifacts: ArtifactService, status: Status) -> None:
    made = fill(artifacts, 4)
    pending = create(artifacts, client_refs={"p": 1}, processing="pending")
    newer = create(artifacts, "other", client_refs={"n": 0})
    artifacts.mark_archived(made[1].artifact_id)
    artifacts.mark_deleted(made[2].artifact_id)
    expected = {
        Status.PENDING: {pending.artifact_id},
        Status.ACTIVE: {made[3].artifact_id, newer.artifact_id},
        Status.SUPERSEDED: {made[0].artifact_id},
        Status.ARCHIVED: {made[1].artifact_id},
        Status.DELETED: {made[2].artifact_id},
    }
    assert listed(artifacts, status=status) == expected[status]


def test_an_artifact_without_a_hash_has_none_of_the_hashes(artifacts: ArtifactService) -> None:
    create(artifacts, client_refs={"n": 0})
    made = create(artifacts, "bytes", client_refs={"n": 1})
    bare = hash_of("bytes").removeprefix("1220")
    for written in (bare, f"sha256:{bare.upper()}", f"1220{bare}"):
        assert listed(artifacts, content_hash=written) == {made.artifact_id}


@pytest.mark.parametrize(
    "offset", ["+01:02:03.000004", "+23:59", "-23:59"]
)  # PostgreSQL reads none of these
def test_a_cursor_may_have_any_offset_that_python_reads(
    artifacts: ArtifactService, offset: str
) -> None:
    create(artifacts)
    position = f"{UUID(int=0)} 9000-01-01T00:00:00{offset}"
    cursor = write_cursor(f"list-created_at-{ArtifactFilter().fingerprint}", position)
    assert len(artifacts.list_artifacts(ArtifactFilter(), cursor=cursor).artifacts) == 1
