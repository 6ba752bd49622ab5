"""Archived bytes come back, sooner or later; until then the artifact says so."""

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import (
    ArtifactNotFound,
    BlobNotFound,
    BlobUnreadable,
    BytesNotServed,
    BytesUncertain,
    InvalidTransition,
    PreconditionFailed,
    StorageUnavailable,
)
from shared.models.axes import Disposition, Status
from shared.models.entity_tags import entity_tag
from shared.models.holds import HoldRequest
from shared.models.ids import new_id
from shared.models.registrations import UNATTRIBUTED
from shared.models.rehydrations import RehydrateRequest
from shared.models.tiers import ColderTier, RehydratePriority, WarmerTier
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.rehydration import RehydrationService
from tests.integration.failing import Deaths
from tests.integration.messages import deliver, told
from tests.integration.registering import create
from tests.integration.rehydrating import (
    TIMER,
    Rehydrating,
    SlowStore,
    events,
    rehydrating,
    waiting,
)

__all__ = ["rehydrating"]  # a fixture that is asked for by its name

TOLD = ("rehydrate_requested", "rehydrated", "rehydration_failed")


def test_bytes_in_the_tier_archive_are_pending_until_they_are_back(
    rehydrating: Rehydrating, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    archived = rehydrating.archived()
    pending = rehydrating.ask(archived, priority=RehydratePriority.HIGH)
    assert (pending.rehydrating_to, pending.storage_tier) == ("Hot", "Archive")
    assert pending.rehydrated_at == pending.updated_at
    assert rehydrating.store.asked == [("a.tif", "Hot", "High")]
    assert rehydrating.check() == 1
    assert artifacts.get_by_id(archived.artifact_id) == pending

    rehydrating.store.thaw()
    rehydrating.check()
    back = artifacts.get_by_id(archived.artifact_id)
    assert (back.rehydrating_to, back.storage_tier) == (None, "Hot")
    assert (back.status, back.archived_at) == (Status.ARCHIVED, archived.archived_at)
    assert back.rehydrated_at == pending.rehydrated_at
    assert back.tier_since == back.updated_at
    assert rehydrating.check() == 0
    requested, ended = events(sql, *TOLD)
    assert requested["details"] == {
        "before": {"storage_tier": "Archive", "rehydrating_to": None},
        "after": {"storage_tier": "Archive", "rehydrating_to": "Hot"},
        "priority": "High",
    }
    assert (ended["operation"], ended["actor"]) == ("rehydrated", TIMER.actor)
    assert ended["details"] == {
        "before": {"storage_tier": "Archive", "rehydrating_to": "Hot"},
        "after": {"storage_tier": "Hot", "rehydrating_to": None},
    }


@pytest.mark.parametrize("tier", [ColderTier.COOL, ColderTier.COLD])
def test_from_other_tiers_bytes_are_back_at_once(
    rehydrating: Rehydrating, sql: psycopg.Connection[DictRow], tier: ColderTier
) -> None:
    back = rehydrating.ask(rehydrating.archived(tier=tier))
    assert (back.rehydrating_to, back.storage_tier) == (None, "Hot")
    assert back.disposition is Disposition.ARCHIVED
    assert rehydrating.store.properties(rehydrating.uploads.reference("a.tif")).tier == "Hot"
    assert [each["operation"] for each in events(sql, *TOLD)] == list(TOLD[:2])
    assert waiting(sql, "rehydrations") == 0


def test_asking_again_changes_nothing(
    rehydrating: Rehydrating, sql: psycopg.Connection[DictRow]
) -> None:
    pending = rehydrating.ask(rehydrating.archived())
    assert rehydrating.ask(pending) == pending
    with pytest.raises(InvalidTransition, match="'Hot' already"):
        rehydrating.ask(pending, WarmerTier.COOL)
    rehydrating.store.thaw()
    rehydrating.check()
    back = rehydrating.ask(pending)
    assert rehydrating.ask(pending) == back
    assert len(events(sql, *TOLD)) == 2
    with pytest.raises(InvalidTransition, match="'Hot' already"):
        rehydrating.ask(pending, WarmerTier.COOL)


def test_only_what_is_archived_can_be_brought_back(
    rehydrating: Rehydrating, artifacts: ArtifactService
) -> None:
    archived = rehydrating.archived()
    live = create(artifacts, "live")
    artifacts.mark_deleted(archived.artifact_id)
    for artifact in (live, archived):
        with pytest.raises(InvalidTransition):
            rehydrating.ask(artifact)
    with pytest.raises(ArtifactNotFound):
        rehydrating.service.rehydrate(new_id(), RehydrateRequest(), UNATTRIBUTED)


def test_what_has_no_bytes_here_cannot_be_brought_back(
    rehydrating: Rehydrating, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a", uri="https://example.org/a.tif")
    with pytest.raises(BytesNotServed):
        rehydrating.ask(artifacts.mark_archived(made.artifact_id).artifact)


def test_what_is_held_may_be_brought_back(rehydrating: Rehydrating, database: Database) -> None:
    archived = rehydrating.archived()
    held = HoldRequest(artifact_id=archived.artifact_id, reason="litigation 7")
    HoldService(database, rehydrating.clock).place(held, UNATTRIBUTED)
    assert rehydrating.ask(archived).rehydrating_to == "Hot"


def test_nobody_archives_what_is_being_brought_back(rehydrating: Rehydrating) -> None:
    pending = rehydrating.ask(rehydrating.archived())
    with pytest.raises(InvalidTransition, match="brought back"):
        rehydrating.retirement.archive(pending.artifact_id, ColderTier.ARCHIVE, UNATTRIBUTED)


def test_a_condition_that_does_not_hold_asks_the_store_for_nothing(
    rehydrating: Rehydrating,
) -> None:
    archived = rehydrating.archived()
    with pytest.raises(PreconditionFailed):
        rehydrating.ask(archived, if_match={"old"})
    assert not rehydrating.store.asked
    assert rehydrating.ask(archived, if_match={entity_tag(archived)}).rehydrating_to == "Hot"


def test_bytes_that_were_written_over_are_not_brought_back(
    rehydrating: Rehydrating, sql: psycopg.Connection[DictRow]
) -> None:
    archived = rehydrating.archived(tier=ColderTier.COOL)
    rehydrating.uploads.put("a.tif", b"two")
    with pytest.raises(BytesUncertain):
        rehydrating.ask(archived)
    rehydrating.uploads.container.delete_blob("a.tif")
    with pytest.raises(BlobNotFound):
        rehydrating.ask(archived)
    assert not events(sql, *TOLD)


def test_bytes_that_vanish_on_their_way_are_waited_for_no_longer(
    rehydrating: Rehydrating, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    archived = rehydrating.archived()
    rehydrating.ask(archived)
    rehydrating.uploads.container.delete_blob("a.tif")
    assert rehydrating.check() == 1
    ended = artifacts.get_by_id(archived.artifact_id)
    assert (ended.rehydrating_to, ended.storage_tier) == (None, "Archive")
    assert "no blob 'a.tif'" in events(sql, "rehydration_failed")[0]["details"]["reason"]
    assert rehydrating.check() == 0
    assert waiting(sql, "verifications_due") == 0


def test_what_was_deleted_on_its_way_is_waited_for_no_longer(
    rehydrating: Rehydrating, artifacts: ArtifactService
) -> None:
    archived = rehydrating.archived()
    rehydrating.ask(archived)
    artifacts.mark_deleted(archived.artifact_id)
    rehydrating.check()
    ended = artifacts.get_by_id(archived.artifact_id)
    assert (ended.disposition, ended.rehydrating_to) == (Disposition.DELETED, None)
    assert rehydrating.check() == 0


def test_what_the_store_refuses_is_refused_and_over(
    rehydrating: Rehydrating, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    """As Azure does of an archived version that is not the latest."""
    archived = rehydrating.archived()
    rehydrating.store.fault = BlobUnreadable("not this one")
    with pytest.raises(BlobUnreadable, match="not this one"):
        rehydrating.ask(archived)
    assert artifacts.get_by_id(archived.artifact_id).rehydrating_to is None
    assert events(sql, *TOLD)[1]["details"]["reason"] == "not this one"
    assert rehydrating.check() == 0


def test_while_the_store_is_away_what_was_asked_for_waits(rehydrating: Rehydrating) -> None:
    archived = rehydrating.archived()
    rehydrating.store.fault = StorageUnavailable("away")
    assert rehydrating.ask(archived).rehydrating_to == "Hot"
    with pytest.raises(StorageUnavailable, match="away"):
        rehydrating.check()
    rehydrating.store.fault = None
    rehydrating.check()
    assert rehydrating.store.asked == [("a.tif", "Hot", "Standard")]


def test_a_tier_that_an_event_told_first_ends_it_as_well(
    rehydrating: Rehydrating, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    archived = rehydrating.archived()
    rehydrating.ask(archived)
    rehydrating.store.thaw()
    deliver(rehydrating.ingestion, told("BlobTierChanged", rehydrating.uploads.reference("a.tif")))
    seen = artifacts.get_by_id(archived.artifact_id)
    assert (seen.storage_tier, seen.rehydrating_to) == ("Hot", "Hot")
    rehydrating.check()
    back = artifacts.get_by_id(archived.artifact_id)
    assert (back.storage_tier, back.rehydrating_to) == ("Hot", None)
    assert back.tier_since == seen.tier_since
    assert waiting(sql, "verifications_due") == 1


def test_those_that_come_late_keep_nobody_waiting(
    rehydrating: Rehydrating,
    artifacts: ArtifactService,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page holds two, a run ends after its first page, and the first of all never come back."""
    monkeypatch.setattr("shared.services.rehydration._CLAIMED", 2)
    several = [rehydrating.archived(name=f"{number}.tif") for number in range(7)]
    for artifact in several:
        rehydrating.ask(artifact)
    rehydrating.store.thaw(but={"0.tif", "1.tif"})
    for _ in range(4):
        times = iter([0.0, 0.0, 2.0])
        service = RehydrationService(database, rehydrating.store, rehydrating.clock, times.__next__)
        service.check_due(1.0, TIMER)
    found = [artifacts.get_by_id(each.artifact_id) for each in several]
    assert [each.storage_tier for each in found] == ["Archive"] * 2 + ["Hot"] * 5


def test_a_kill_at_any_moment_loses_nothing_and_the_store_is_asked_once(
    rehydrating: Rehydrating, artifacts: ArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived = rehydrating.archived()
    deaths = Deaths(
        monkeypatch,
        (SlowStore, "properties"),
        (SlowStore, "set_tier"),
        (RehydrationService, "_advance"),
    )
    moments = 0
    for moment in deaths.each(lambda: rehydrating.ask(archived)):
        moments = moment
    for moment in deaths.each(rehydrating.check):
        moments += moment
    assert moments > 5
    assert rehydrating.store.asked == [("a.tif", "Hot", "Standard")]
    rehydrating.store.thaw()
    for _ in deaths.each(rehydrating.check):
        pass
    assert artifacts.get_by_id(archived.artifact_id).storage_tier == "Hot"
    assert artifacts.get_by_id(archived.artifact_id).rehydrating_to is None
