"""What may change of a build's artifact: its flags, its metadata, its expiry; or it is deleted."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import ValidationError

from shared.database.pool import Database
from shared.errors import (
    ArtifactHeld,
    ArtifactNotFound,
    ArtifactRetained,
    InvalidInput,
    InvalidTransition,
    PreconditionFailed,
)
from shared.models.artifacts import ArtifactChanges
from shared.models.axes import Status
from shared.models.build_artifacts import BuildArtifactChanges
from shared.models.entity_tags import entity_tag
from shared.models.holds import HoldRequest
from shared.services.artifact_service import ArtifactService
from shared.services.build_surface import Builds
from shared.services.holds import HoldService
from shared.services.policies import PolicyService
from tests.integration.clock import TickingClock
from tests.integration.drafting import policy
from tests.integration.keeping import Keeping, another, kept
from tests.integration.messages import ORIGIN
from tests.integration.rehydrating import events

__all__ = ["kept"]  # a fixture that is asked for by its name


def test_metadata_is_merged_and_flags_are_set(kept: Keeping) -> None:
    made = kept.put(metadata={"vm": "1", "disk": "raw"})
    changed = kept.change(made, is_final=True, is_resumable=False, metadata={"disk": None, "n": 1})
    assert changed.metadata == {"vm": "1", "disk": None, "n": 1}
    assert (changed.is_final, changed.is_resumable) == (True, False)
    assert changed.updated_at > changed.created_at
    same = {"metadata", "is_final", "is_resumable", "updated_at"}
    assert changed.model_dump(exclude=same) == made.model_dump(exclude=same)


def test_what_is_not_said_stays(kept: Keeping) -> None:
    made = kept.put(is_final=True, expires_at="2030-01-01T00:00:00Z", metadata={"a": 1})
    assert kept.change(made) == made
    assert kept.change(made, artifact_name="base", is_final=True) == made


@pytest.mark.parametrize("field", ["checksum", "size_bytes", "state_code", "artifact_path"])
def test_content_is_no_change(field: str) -> None:
    with pytest.raises(ValidationError):
        BuildArtifactChanges.model_validate({field: "x"})


def test_an_expiry_is_set_and_taken_away(
    kept: Keeping, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    made = kept.put()
    later = clock.now + timedelta(days=1)
    assert kept.change(made, expires_at=later).expires_at == later
    assert kept.change(made, is_final=True).expires_at == later
    assert kept.change(made, expires_at=None).expires_at is None
    told = events(sql, "metadata_update")[0]["details"]
    assert told["before"] == {"expires_at": None, "metadata": {}}
    with pytest.raises(InvalidInput) as refused:
        kept.change(made, expires_at=clock.now)
    assert refused.value.pointer == "/expires_at"


def test_an_expiry_of_any_artifact_is_set_and_taken_away(
    kept: Keeping, artifacts: ArtifactService, clock: TickingClock
) -> None:
    made = kept.put()
    sooner = clock.now - timedelta(days=1)
    assert artifacts.update(made.id, ArtifactChanges(expires_at=sooner)).expires_at == sooner
    assert artifacts.update(made.id, ArtifactChanges(is_final=True)).expires_at == sooner
    assert artifacts.update(made.id, ArtifactChanges(expires_at=None)).expires_at is None


def test_a_deleted_artifact_stays_as_it_is(kept: Keeping) -> None:
    made = kept.put()
    gone = kept.delete(made)
    for changes in ({"artifact_name": "other"}, {"is_final": True}):
        with pytest.raises(InvalidTransition):
            kept.change(made, **changes)
    assert kept.seen(made) == gone


def test_what_is_retained_until_it_expires_does_not_expire_sooner(
    kept: Keeping, database: Database, clock: TickingClock
) -> None:
    until = clock.now + timedelta(days=30)
    made = kept.put(expires_at=until)
    keep = policy("keep", locked=True, kind="expire", clock="expires", age="PT0S")
    PolicyService(database, clock).put(keep)
    for sooner in (None, until - timedelta(days=1)):
        with pytest.raises(ArtifactRetained):
            kept.change(made, expires_at=sooner)
    later = until + timedelta(days=1)
    assert kept.change(made, expires_at=later).expires_at == later


def test_what_is_retained_is_given_no_expiry(
    kept: Keeping, database: Database, artifacts: ArtifactService, clock: TickingClock
) -> None:
    made = kept.put()
    soon = clock.now + timedelta(days=1)
    PolicyService(database, clock).put(policy("keep", locked=True, kind="delete", clock="created"))
    with pytest.raises(ArtifactRetained):
        kept.change(made, expires_at=soon)
    with pytest.raises(ArtifactRetained):
        artifacts.update(made.id, ArtifactChanges(expires_at=soon))
    assert kept.change(made, expires_at=None, is_final=True).expires_at is None


def test_a_change_may_depend_on_the_state_that_was_seen(kept: Keeping) -> None:
    made = kept.put()
    wanted = BuildArtifactChanges(is_final=True)
    update, delete = kept.service.update, kept.service.delete
    seen = [entity_tag(made)]
    changed = update(kept.build_id, made.id, wanted, ORIGIN, if_match=seen)
    with pytest.raises(PreconditionFailed):
        update(kept.build_id, made.id, wanted, ORIGIN, if_match=seen)
    with pytest.raises(PreconditionFailed):
        delete(kept.build_id, made.id, ORIGIN, if_match=seen)
    assert delete(kept.build_id, made.id, ORIGIN, if_match=[entity_tag(changed)]).deleted_at


def test_a_deleted_artifact_is_found_and_its_name_is_free(kept: Keeping) -> None:
    made = kept.put()
    gone = kept.delete(made)
    assert (gone.status, gone.deleted_at) == (Status.DELETED, gone.updated_at)
    assert kept.delete(made) == gone == kept.seen(made)
    assert kept.listed() == []
    assert kept.put().revision == 2


def test_what_is_held_is_not_deleted(
    kept: Keeping, database: Database, clock: TickingClock
) -> None:
    made = kept.put()
    wanted = HoldRequest.model_validate({"reason": "audit", "artifact_id": str(made.id)})
    HoldService(database, clock).place(wanted, ORIGIN)
    with pytest.raises(ArtifactHeld):
        kept.delete(made)
    assert kept.listed() == [made.id]


def test_another_builds_artifact_is_none_of_this_one(kept: Keeping, builds: Builds) -> None:
    made = kept.put()
    other = another(kept, builds)
    asks: list[Callable[[], object]] = [
        lambda: other.seen(made),
        lambda: other.change(made, is_final=True),
        lambda: other.delete(made),
    ]
    for ask in asks:
        with pytest.raises(ArtifactNotFound):
            ask()
    assert kept.seen(made) == made
