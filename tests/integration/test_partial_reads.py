"""Finding an asset by its references: exactly, else by some of them."""

from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import JsonValue

from shared.errors import ArtifactConflict, ArtifactNotFound, InvalidInput, TooManyMatches
from shared.models.axes import Status
from shared.models.chains import Match
from shared.services.artifact_service import ArtifactService
from tests.integration.registering import create

A_FEW = b"""
CREATE OR REPLACE FUNCTION registry.shortlist_limit() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 200
"""


def fill(sql: psycopg.Connection[DictRow], count: int, refs: str, client_type: str = "ddh") -> None:
    """Assets without artifacts, older than any that is registered."""
    sql.execute(
        "INSERT INTO registry.assets (asset_id, client_type, client_refs, created_at)"
        " SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(i), 12, '0'))::uuid, %s,"
        " %s::jsonb || jsonb_build_object('i', i), now()"
        " FROM generate_series(1, %s) AS i",
        [client_type, refs, count],
    )


def test_the_exact_asset_is_answered_before_others_that_contain_its_references(
    artifacts: ArtifactService,
) -> None:
    create(artifacts, client_refs={"a": 1, "b": 2})
    exact = create(artifacts, client_refs={"a": 1})
    found = artifacts.get_by_client_refs("ddh", {"a": 1})
    assert (found.artifact_id, found.match, found.matched_assets) == (
        exact.artifact_id,
        Match.EXACT,
        1,
    )


def test_an_exact_asset_without_a_current_artifact_is_not_replaced_by_another(
    artifacts: ArtifactService,
) -> None:
    create(artifacts, client_refs={"a": 1, "b": 2})
    exact = create(artifacts, client_refs={"a": 1})
    artifacts.mark_deleted(exact.artifact_id)
    with pytest.raises(ArtifactNotFound):
        artifacts.get_by_client_refs("ddh", {"a": 1})


def test_of_several_matches_the_oldest_with_a_current_artifact_is_answered_and_all_are_counted(
    artifacts: ArtifactService,
) -> None:
    made = [create(artifacts, client_refs={"a": 1, "n": n}) for n in range(4)]
    artifacts.mark_deleted(made[0].artifact_id)
    for _ in range(3):
        found = artifacts.get_by_client_refs("ddh", {"a": 1})
        assert found.artifact_id == made[1].artifact_id
        assert (found.match, found.matched_assets) == (Match.CONTAINMENT, 4)


def test_superseded_ones_are_included_when_asked_for_tombstones_as_well(
    artifacts: ArtifactService,
) -> None:
    create(artifacts, "1", client_refs={"a": 1, "n": 1})
    newest = create(artifacts, "2", client_refs={"a": 1, "n": 1})
    create(artifacts, client_refs={"a": 1, "n": 2})
    artifacts.mark_deleted(newest.artifact_id)
    for refs in ({"a": 1}, {"a": 1, "n": 1}):
        found = artifacts.get_by_client_refs("ddh", refs, include_superseded=True)
        assert (found.artifact_id, found.status) == (newest.artifact_id, Status.DELETED)
    current = artifacts.get_by_client_refs("ddh", {"a": 1})
    assert current.client_refs == {"a": 1, "n": 2}


def test_a_pending_artifact_is_no_current_one_but_the_newest_revision(
    artifacts: ArtifactService,
) -> None:
    pending = create(artifacts, client_refs={"a": 1}, processing="pending")
    with pytest.raises(ArtifactNotFound):
        artifacts.get_by_client_refs("ddh", {"a": 1})
    newest = artifacts.get_by_client_refs("ddh", {"a": 1}, include_superseded=True)
    assert newest.artifact_id == pending.artifact_id


@pytest.mark.parametrize("include_superseded", [False, True])
def test_unknown_references_find_nothing(
    artifacts: ArtifactService, include_superseded: bool
) -> None:
    create(artifacts, client_refs={"a": 1}, client_type="other")
    with pytest.raises(ArtifactNotFound):
        artifacts.get_by_client_refs("ddh", {"a": 1}, include_superseded=include_superseded)


def test_no_references_are_refused_not_taken_for_all(artifacts: ArtifactService) -> None:
    create(artifacts)
    with pytest.raises(InvalidInput):
        artifacts.get_by_client_refs("ddh", {})
    with pytest.raises(InvalidInput):
        artifacts.get_history("ddh", {})


VALUES: list[JsonValue] = [1, "1", True, None, 1.5, [1], {"b": 1}, False, 0, "", "null"]


def test_types_of_references_matter(artifacts: ArtifactService) -> None:
    made = [create(artifacts, client_refs={"k": value, "other": 1}) for value in VALUES]
    for value, expected in zip(VALUES, made, strict=True):
        for refs in ({"k": value}, {"k": value, "other": 1}):
            found = artifacts.get_by_client_refs("ddh", refs)
            assert (found.artifact_id, found.matched_assets) == (expected.artifact_id, 1)


def test_one_number_is_one_reference_however_it_is_written(artifacts: ArtifactService) -> None:
    made = create(artifacts, client_refs={"k": 10, "other": 1})
    assert artifacts.get_by_client_refs("ddh", {"k": 10.0}).artifact_id == made.artifact_id


def test_the_order_of_keys_does_not_matter(artifacts: ArtifactService) -> None:
    made = create(artifacts, client_refs={"a": {"x": 1, "y": 2}, "b": 2, "c": 3})
    turned: dict[str, JsonValue] = {"b": 2, "a": {"y": 2, "x": 1}}
    for refs in (turned, {"c": 3, **turned}):
        assert artifacts.get_by_client_refs("ddh", refs).artifact_id == made.artifact_id


def test_references_deep_inside_are_found(artifacts: ArtifactService) -> None:
    made = create(artifacts, client_refs={"a": {"b": [1, {"c": "d"}]}, "e": 1})
    partial: list[dict[str, JsonValue]] = [
        {"a": {"b": [{"c": "d"}]}},
        {"a": {}},
        {"a": {"b": []}, "e": 1},
    ]
    for refs in partial:
        assert artifacts.get_by_client_refs("ddh", refs).artifact_id == made.artifact_id
    with pytest.raises(ArtifactNotFound):
        artifacts.get_by_client_refs("ddh", {"a": {"b": [2]}})


def test_writing_never_matches_by_containment(artifacts: ArtifactService) -> None:
    wide = create(artifacts, client_refs={"a": 1, "b": 2})
    narrow = create(artifacts, client_refs={"a": 1}, overwrite=False)
    assert (narrow.revision, narrow.supersedes) == (1, None)
    assert artifacts.get_by_id(wide.artifact_id).status is Status.ACTIVE
    with pytest.raises(ArtifactConflict):
        create(artifacts, client_refs={"b": 2, "a": 1.0}, overwrite=False)


def test_matches_are_counted_to_a_hundred(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    fill(sql, 101, '{"kind": "tile"}')
    oldest = {"kind": "tile", "i": 1}
    history = artifacts.get_history("ddh", {"kind": "tile"})
    assert (history.matched_assets, history.client_refs) == (100, oldest)


def test_the_oldest_is_known_even_where_very_many_share_the_references(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(A_FEW)
    fill(sql, 300, '{"kind": "tile"}')
    history = artifacts.get_history("ddh", {"kind": "tile"})
    assert (history.matched_assets, history.client_refs["i"]) == (100, 1)


def test_a_current_artifact_is_found_behind_many_assets_without_one(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    fill(sql, 1500, '{"kind": "tile"}')
    made = create(artifacts, client_refs={"kind": "tile", "name": "last"})
    found = artifacts.get_by_client_refs("ddh", {"kind": "tile"})
    assert (found.artifact_id, found.matched_assets) == (made.artifact_id, 100)


def test_a_current_artifact_that_may_be_beyond_what_is_looked_at_is_not_denied(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(A_FEW)
    fill(sql, 300, '{"kind": "tile"}')
    create(artifacts, client_refs={"kind": "tile", "name": "last"})
    with pytest.raises(TooManyMatches):
        artifacts.get_by_client_refs("ddh", {"kind": "tile"})


@pytest.mark.parametrize(
    "partial", [{"kind": "tile", "shape": {}}, {"shape": {}}, {"kind": "tile", "shape": {"x": 1}}]
)
def test_where_too_many_share_the_references_nothing_is_guessed(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], partial: dict[str, Any]
) -> None:
    sql.execute(A_FEW)
    fill(sql, 300, '{"kind": "tile"}')
    made = create(artifacts, client_refs={"kind": "tile", "shape": {"x": 1}, "name": "last"})
    with pytest.raises(TooManyMatches):
        artifacts.get_by_client_refs("ddh", partial)
    with pytest.raises(TooManyMatches):
        artifacts.get_history("ddh", partial)
    found = artifacts.get_by_client_refs("ddh", {**partial, "name": "last"})
    assert found.artifact_id == made.artifact_id


def test_the_rarest_of_the_references_decides(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(A_FEW)
    fill(sql, 300, '{"a long name": "with a long value, shared by all", "z": 1}')
    refs = {"a long name": "with a long value, shared by all", "z": 1, "id": 7}
    made = create(artifacts, client_refs=refs)
    partial = {"a long name": "with a long value, shared by all", "id": 7}
    found = artifacts.get_by_client_refs("ddh", partial)
    assert (found.artifact_id, found.matched_assets) == (made.artifact_id, 1)


def test_what_another_client_has_never_counts(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(A_FEW)
    fill(sql, 300, '{"kind": "tile"}', client_type="other")
    made = create(artifacts, client_refs={"kind": "tile", "name": "mine"})
    found = artifacts.get_by_client_refs("ddh", {"kind": "tile"})
    assert (found.artifact_id, found.matched_assets) == (made.artifact_id, 1)
