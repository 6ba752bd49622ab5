"""What may change of a registered artifact: metadata, flags, and only in the state one saw."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import ValidationError

from shared.errors import ArtifactNotFound, InvalidInput, InvalidTransition, PreconditionFailed
from shared.models.artifacts import ArtifactChanges
from shared.models.axes import Disposition
from shared.models.entity_tags import entity_tag
from shared.models.ids import new_id
from shared.services.artifact_service import ArtifactService
from tests.integration.registering import create

METADATA: dict[str, Any] = {"title": "Site A", "tags": ["x", "y"], "nested": {"a": 1, "b": 2}}


def events(sql: psycopg.Connection[DictRow]) -> list[dict[str, Any]]:
    rows = sql.execute(
        "SELECT details FROM registry.outbox WHERE operation = 'metadata_update' ORDER BY position"
    ).fetchall()
    return [row["details"] for row in rows]


def test_metadata_merge_key_by_key_and_null_is_stored(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a", metadata=METADATA)
    changed = artifacts.update_metadata(
        made.artifact_id, {"title": None, "nested": {"c": 3}, "new": True}
    )
    assert changed.metadata == {
        "title": None,
        "tags": ["x", "y"],
        "nested": {"c": 3},
        "new": True,
    }
    assert changed.updated_at > made.updated_at


def test_a_change_is_told_with_what_was_before(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made = create(artifacts, "a", metadata=METADATA)
    artifacts.update(
        made.artifact_id, ArtifactChanges(metadata={"title": 7, "n": 1}, is_final=True)
    )
    assert events(sql) == [
        {
            "before": {"is_final": False, "metadata": {"title": "Site A"}},
            "after": {"is_final": True, "metadata": {"title": 7, "n": 1}},
        }
    ]


def test_values_too_long_to_be_told_leave_their_names(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made = create(artifacts, "a")
    artifacts.update_metadata(made.artifact_id, {"text": "x" * 10_000})
    assert events(sql) == [{"before": {"metadata": {}}, "after": {"metadata_keys": ["text"]}}]


def test_changing_nothing_leaves_no_trace(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made = create(artifacts, "a", metadata=METADATA, is_final=True)
    same = ArtifactChanges(metadata={"title": "Site A"}, is_final=True)
    assert artifacts.update(made.artifact_id, same) == made
    assert events(sql) == []


def test_flags_that_are_not_named_stay(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a", is_resumable=True)
    changed = artifacts.update(made.artifact_id, ArtifactChanges(is_final=True))
    assert (changed.is_resumable, changed.is_final) == (True, True)


@pytest.mark.parametrize("field", ["content_hash", "stage", "client_refs", "revision"])
def test_nothing_else_can_be_changed(field: str) -> None:
    with pytest.raises(ValidationError):
        ArtifactChanges.model_validate({field: "published"})


def test_metadata_of_an_archived_artifact_change_those_of_a_deleted_one_do_not(
    artifacts: ArtifactService,
) -> None:
    made = create(artifacts, "a")
    artifacts.mark_archived(made.artifact_id)
    assert artifacts.update_metadata(made.artifact_id, {"a": 1}).metadata == {"a": 1}
    artifacts.mark_deleted(made.artifact_id)
    with pytest.raises(InvalidTransition):
        artifacts.update_metadata(made.artifact_id, {"a": 2})
    assert artifacts.get_by_id(made.artifact_id).metadata == {"a": 1}


def test_metadata_that_would_grow_too_large_change_nothing(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a", metadata={"a": 1})
    incompressible = {str(number): str(new_id()) for number in range(40_000)}
    with pytest.raises(InvalidInput):
        artifacts.update_metadata(made.artifact_id, dict(incompressible))
    assert artifacts.get_by_id(made.artifact_id).metadata == {"a": 1}


def test_an_unknown_artifact_is_said_to_be_one(artifacts: ArtifactService) -> None:
    for if_match in (None, {"any"}):
        with pytest.raises(ArtifactNotFound):
            artifacts.update_metadata(new_id(), {"a": 1}, if_match=if_match)


def test_only_who_saw_the_present_state_may_change_it(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a")
    seen = entity_tag(made)
    changed = artifacts.update_metadata(made.artifact_id, {"a": 1}, if_match={seen, "other"})
    for change in (
        lambda: artifacts.update_metadata(made.artifact_id, {"a": 2}, if_match={seen}),
        lambda: artifacts.mark_deleted(made.artifact_id, if_match={seen}),
        lambda: artifacts.mark_archived(made.artifact_id, if_match={seen}),
        lambda: artifacts.mark_archived(made.artifact_id, if_match=set()),
    ):
        with pytest.raises(PreconditionFailed):
            change()
    assert artifacts.get_by_id(made.artifact_id) == changed
    deleted = artifacts.mark_deleted(made.artifact_id, if_match={entity_tag(changed)})
    assert deleted.artifact.disposition is Disposition.DELETED
    assert artifacts.mark_deleted(made.artifact_id, if_match={"*"}).artifact == deleted.artifact


def test_of_many_who_saw_the_same_state_one_changes_it(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a")
    seen = {entity_tag(made)}

    def change(number: int) -> bool:
        try:
            artifacts.update_metadata(made.artifact_id, {str(number): number}, if_match=seen)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        changed = [number for number, won in enumerate(threads.map(change, range(16))) if won]
    assert len(changed) == 1
    assert artifacts.get_by_id(made.artifact_id).metadata == {str(changed[0]): changed[0]}


def test_merges_of_many_at_once_lose_nothing(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a")

    def change(number: int) -> None:
        artifacts.update_metadata(made.artifact_id, {str(number): number})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(change, range(40)))
    metadata = artifacts.get_by_id(made.artifact_id).metadata
    assert metadata == {str(number): number for number in range(40)}
