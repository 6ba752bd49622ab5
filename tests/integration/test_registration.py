"""Registering: revisions, supersession, conflicts, unchanged bytes, late completion."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import ValidationError

from shared.errors import ArtifactConflict, ArtifactNotFound, InvalidTransition
from shared.models.axes import Disposition, Processing, Status
from shared.models.registrations import Origin
from shared.services.artifact_service import ArtifactService
from shared.services.transitions import ContentFacts
from tests.integration.registering import REFS, count_artifacts, create, hash_of


def test_the_first_registration_of_an_asset_is_its_active_revision_one(
    artifacts: ArtifactService,
) -> None:
    made = create(artifacts, "a", overwrite=False, size_bytes=1, stac_item_id="item")
    assert (made.revision, made.status, made.supersedes) == (1, Status.ACTIVE, None)
    assert made.client_refs == REFS
    assert artifacts.get_by_id(made.artifact_id) == made


def test_overwriting_supersedes_and_links_both_ways(artifacts: ArtifactService) -> None:
    first = create(artifacts, "a")
    second = create(artifacts, "b")
    assert (second.revision, second.supersedes) == (2, first.artifact_id)
    replaced = artifacts.get_by_id(first.artifact_id)
    assert (replaced.status, replaced.superseded_by) == (Status.SUPERSEDED, second.artifact_id)


def test_without_overwrite_a_current_artifact_is_a_conflict_that_names_it(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    first = create(artifacts, "a")
    with pytest.raises(ArtifactConflict) as conflict:
        create(artifacts, "b", overwrite=False)
    assert conflict.value.current_artifact_id == first.artifact_id
    assert count_artifacts(sql) == 1


@pytest.mark.parametrize("overwrite", [True, False])
def test_the_same_bytes_register_nothing_new(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], overwrite: bool
) -> None:
    first = create(artifacts, "a")
    again = create(artifacts, content_hash=hash_of("a")[4:].upper(), overwrite=overwrite)
    assert again == first
    assert count_artifacts(sql) == 1


def test_a_caller_may_insist_on_a_revision_of_the_same_bytes(artifacts: ArtifactService) -> None:
    create(artifacts, "a")
    assert create(artifacts, "a", register_unchanged=True).revision == 2


def test_a_signature_in_the_uri_is_not_stored(artifacts: ArtifactService) -> None:
    signed = "https://a.blob.core.windows.net/c/b.tif?sv=1&SIG=secret&se=2"
    versioned = "https://a.blob.core.windows.net/c/b.tif?versionid=2026"
    named = "https://user:secret@host/b.tif?X-Amz-Signature=secret"
    assert create(artifacts, uri=signed).uri == "https://a.blob.core.windows.net/c/b.tif"
    assert create(artifacts, uri=versioned).uri == versioned
    assert create(artifacts, uri=named).uri == "https://host/b.tif"


def test_a_missing_hash_equals_nothing(artifacts: ArtifactService) -> None:
    create(artifacts)
    assert create(artifacts).revision == 2


def test_identity_ignores_key_order_and_number_spelling_but_not_types(
    artifacts: ArtifactService,
) -> None:
    first = create(artifacts, client_refs={"a": 1, "b": "x"})
    same = create(artifacts, client_refs={"b": "x", "a": 1.0})
    other = create(artifacts, client_refs={"a": "1", "b": "x"})
    truth = create(artifacts, client_refs={"a": True, "b": "x"})
    assert same.asset_id == first.asset_id
    assert len({first.asset_id, other.asset_id, truth.asset_id}) == 3


def test_a_wider_or_narrower_set_of_references_is_another_asset(artifacts: ArtifactService) -> None:
    narrow = create(artifacts, client_refs={"a": "1"})
    wide = create(artifacts, client_refs={"a": "1", "b": "2"})
    assert narrow.asset_id != wide.asset_id
    assert narrow.status is wide.status is Status.ACTIVE


@pytest.mark.parametrize(
    "fields",
    [
        {"client_refs": {}},
        {"client_refs": {"a": float("nan")}},
        {"client_refs": {"a": "nul\x00"}},
        {"client_refs": {"a": "\ud800"}},
        {"client_refs": {"a": "x" * 9000}},
        {"client_type": ""},
        {"client_type": "x" * 51},
        {"client_type": "line\nbreak"},
        {"size_bytes": -1},
        {"row_count": -1},
        {"size_bytes": 2**63},
        {"content_hash": "1220abc"},
        {"container": "only-the-container"},
        {"metadata": {"a": "nul\x00"}},
        {"expires_at": "2026-01-01T00:00:00"},
        {"no_such_field": 1},
        {"processing": "failed"},
        {"expires_at": "9999-12-31T23:59:59-10:00"},
        {"expires_at": "0001-01-01T00:00:00+10:00"},
        {"overwrite": "on"},
    ],
)
def test_what_breaks_the_rules_is_refused_before_it_reaches_the_database(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow], fields: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        create(artifacts, **fields)
    assert count_artifacts(sql) == 0


@pytest.mark.parametrize("retire", ["mark_deleted", "mark_archived"])
def test_after_the_current_one_is_retired_the_next_supersedes_nothing(
    artifacts: ArtifactService, retire: str
) -> None:
    create(artifacts, "a")
    second = create(artifacts, "b")
    getattr(artifacts, retire)(second.artifact_id)
    third = create(artifacts, "c", overwrite=False)
    assert (third.revision, third.supersedes, third.status) == (3, None, Status.ACTIVE)


def test_the_same_bytes_after_a_delete_are_a_new_revision(artifacts: ArtifactService) -> None:
    first = create(artifacts, "a")
    artifacts.mark_deleted(first.artifact_id)
    assert create(artifacts, "a").revision == 2


def test_deleting_the_current_one_reactivates_nothing_and_is_idempotent(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, "a")
    second = create(artifacts, "b")
    deleted = artifacts.mark_deleted(second.artifact_id)
    again = artifacts.mark_deleted(second.artifact_id)
    assert (deleted.previous, again.previous) == (Status.ACTIVE, Status.DELETED)
    assert again.artifact == deleted.artifact
    active = sql.execute("SELECT FROM registry.artifacts WHERE status = 'active'").fetchall()
    assert active == []


def test_deleted_is_terminal(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a")
    artifacts.mark_deleted(made.artifact_id)
    with pytest.raises(InvalidTransition):
        artifacts.mark_archived(made.artifact_id)


def test_a_pending_artifact_takes_its_revision_and_becomes_current_when_completed(
    artifacts: ArtifactService,
) -> None:
    first = create(artifacts, "a")
    pending = create(artifacts, processing="pending")
    assert (pending.revision, pending.status, pending.supersedes) == (2, Status.PENDING, None)
    assert artifacts.get_by_id(first.artifact_id).status is Status.ACTIVE
    artifacts.begin(pending.artifact_id)
    facts = ContentFacts(content_hash=hash_of("b"), size_bytes=7)
    completed = artifacts.complete(pending.artifact_id, facts)
    assert (completed.status, completed.supersedes) == (Status.ACTIVE, first.artifact_id)
    assert (completed.content_hash, completed.size_bytes) == (hash_of("b"), 7)
    assert artifacts.get_by_id(first.artifact_id).superseded_by == pending.artifact_id


def test_one_that_completes_late_joins_the_chain_in_revision_order(
    artifacts: ArtifactService,
) -> None:
    first = create(artifacts, "a")
    late = create(artifacts, processing="pending")
    third = create(artifacts, "c")
    completed = artifacts.complete(late.artifact_id)
    assert completed.status is Status.SUPERSEDED
    chain = artifacts.get_supersession_chain(first.artifact_id).artifacts
    assert [a.artifact_id for a in chain] == [
        first.artifact_id,
        late.artifact_id,
        third.artifact_id,
    ]
    assert chain[2].status is Status.ACTIVE


def test_completing_behind_a_deleted_later_revision_does_not_become_current(
    artifacts: ArtifactService,
) -> None:
    late = create(artifacts, processing="pending")
    second = create(artifacts, "b")
    artifacts.mark_deleted(second.artifact_id)
    completed = artifacts.complete(late.artifact_id)
    assert (completed.status, completed.superseded_by) == (Status.SUPERSEDED, second.artifact_id)


def test_a_failed_artifact_never_becomes_current(artifacts: ArtifactService) -> None:
    first = create(artifacts, "a")
    pending = create(artifacts, processing="pending")
    failed = artifacts.fail(pending.artifact_id)
    assert (failed.processing, failed.status) == (Processing.FAILED, Status.PENDING)
    with pytest.raises(InvalidTransition):
        artifacts.complete(pending.artifact_id)
    assert create(artifacts, "c").supersedes == first.artifact_id


def test_completing_is_idempotent_and_a_retired_one_cannot_complete(
    artifacts: ArtifactService,
) -> None:
    pending = create(artifacts, processing="pending")
    completed = artifacts.complete(pending.artifact_id)
    assert artifacts.complete(pending.artifact_id) == completed
    with pytest.raises(InvalidTransition):
        artifacts.complete(pending.artifact_id, ContentFacts(content_hash=hash_of("other")))
    other = create(artifacts, processing="pending")
    artifacts.mark_deleted(other.artifact_id)
    with pytest.raises(InvalidTransition):
        artifacts.complete(other.artifact_id)


def test_unknown_ids_are_not_found(artifacts: ArtifactService) -> None:
    nobody = UUID(int=1)
    for call in (artifacts.get_by_id, artifacts.complete, artifacts.mark_deleted):
        with pytest.raises(ArtifactNotFound):
            call(nobody)


def test_every_change_leaves_an_event_with_its_actor_in_the_same_transaction(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    origin = Origin("key:42", "request-7")
    made = artifacts.create_artifact(client_type="ddh", client_refs=REFS, origin=origin)
    artifacts.mark_deleted(made.artifact_id, origin)
    events = sql.execute("SELECT * FROM registry.outbox ORDER BY position").fetchall()
    assert [event["operation"] for event in events] == ["artifact_creation", "status_update"]
    assert {(e["actor"], e["request_id"], e["artifact_id"]) for e in events} == {
        ("key:42", "request-7", made.artifact_id)
    }


def test_disposition_moves_are_recorded_with_their_time(artifacts: ArtifactService) -> None:
    made = create(artifacts, "a")
    archived = artifacts.mark_archived(made.artifact_id).artifact
    deleted = artifacts.mark_deleted(made.artifact_id).artifact
    assert (archived.disposition, deleted.disposition) == (
        Disposition.ARCHIVED,
        Disposition.DELETED,
    )
    assert archived.archived_at is not None
    assert deleted.archived_at == archived.archived_at
    assert deleted.deleted_at is not None
    assert deleted.deleted_at > archived.archived_at
