"""What a locked policy retains is destroyed by nobody before its time."""

import pytest

from shared.database.pool import Database
from shared.errors import ArtifactRetained
from shared.models.tiers import ColderTier
from shared.services.ingestion import IngestionService
from tests.integration.messages import apply_rules, deliver, told
from tests.integration.policing import (
    COOL,
    DAY,
    DELETE,
    ORIGIN,
    PURGE,
    Policing,
    policing,
)

__all__ = ["policing"]  # a fixture that is asked for by its name

KEEP = DELETE | {"name": "keep", "clock": "created", "age": "P365D", "locked": True}


def test_nobody_deletes_it_by_hand_until_it_is_due(policing: Policing) -> None:
    made = policing.upload("v1", b"one")
    policing.enforce(KEEP)
    policing.clock.now += 364 * DAY
    with pytest.raises(ArtifactRetained, match="'keep'"):
        policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)
    assert policing.state(made) == "live"
    policing.clock.now += 2 * DAY
    policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)
    assert policing.state(made) == "deleted"


def test_what_it_does_not_select_is_free(policing: Policing) -> None:
    made = policing.upload("v1", b"one")
    policing.enforce(KEEP, selector={"path_prefix": "other/"})
    policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)
    assert policing.state(made) == "deleted"


def test_it_may_be_archived_meanwhile_and_waits_since_then(policing: Policing) -> None:
    made = policing.upload("v1", b"one")
    policing.enforce(KEEP)
    policing.clock.now += 300 * DAY
    policing.retirement.archive(made.artifact_id, ColderTier.COOL, ORIGIN)
    policing.clock.now += 300 * DAY
    with pytest.raises(ArtifactRetained):
        policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)
    policing.clock.now += 66 * DAY
    policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)


def test_of_what_was_deleted_before_nobody_removes_the_bytes(policing: Policing) -> None:
    made = policing.upload("v1", b"one")
    policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)
    policing.enforce(KEEP)
    with pytest.raises(ArtifactRetained):
        policing.retirement.purge(made.artifact_id, ORIGIN)
    assert policing.is_there("v1")
    name = policing.enforce(PURGE, age="PT0S")
    assert policing.runs.run(name, ORIGIN).refused == {"retention keep": 1}
    assert policing.is_there("v1")


def test_a_lock_on_purging_lets_it_be_deleted(policing: Policing) -> None:
    made = policing.upload("v1", b"one")
    policing.enforce(PURGE, locked=True)
    policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)
    with pytest.raises(ArtifactRetained):
        policing.retirement.purge(made.artifact_id, ORIGIN)
    policing.clock.now += 91 * DAY
    policing.retirement.purge(made.artifact_id, ORIGIN)
    assert not policing.is_there("v1")


def test_a_locked_policy_acts_when_its_time_has_come(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.enforce(KEEP)
    name = policing.enforce(DELETE)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    assert policing.latest(name).refused == {"retention keep": 1}
    policing.clock.now += 340 * DAY
    policing.run_scheduled()
    assert policing.state(old) == "deleted"


def test_what_has_no_successor_yet_is_retained_by_a_lock_on_old_revisions(
    policing: Policing,
) -> None:
    made = policing.upload("v1", b"one")
    policing.enforce(DELETE, locked=True)
    policing.clock.now += 400 * DAY
    with pytest.raises(ArtifactRetained):
        policing.artifacts.mark_deleted(made.artifact_id, ORIGIN)


def test_a_rule_that_deletes_with_the_blob_leaves_it_missing(
    policing: Policing, ingestion: IngestionService, database: Database
) -> None:
    blob = policing.uploads.reference("v1")
    apply_rules(
        database,
        {
            "name": "files",
            "container": blob.container,
            "path": "{file}",
            "client_type": "file",
            "client_refs": {"file": "{file}"},
            "when_deleted": "delete",
        },
    )
    policing.enforce(KEEP)
    made = ingestion.register_blob(policing.uploads.put("v1", b"one"), ORIGIN).artifact
    policing.uploads.container.delete_blob("v1")
    deliver(ingestion, told("BlobDeleted", blob, api="DeleteBlob"))
    left = policing.artifacts.get_by_id(made.artifact_id)
    assert (left.disposition, left.missing_since is not None) == ("live", True)


def test_archiving_is_not_destroying(policing: Policing) -> None:
    old = policing.upload("v1", b"one")
    policing.upload("v2", b"two")
    policing.enforce(KEEP)
    policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    assert policing.state(old) == "archived"
