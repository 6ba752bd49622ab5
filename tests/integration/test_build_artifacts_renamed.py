"""Another name for a build's artifact: every revision has it, and nobody else."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.errors import ArtifactHeld, ArtifactNameTaken, ArtifactNotFound, ArtifactRetained
from shared.models.axes import Status
from shared.models.holds import HoldRequest
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.policies import PolicyService
from tests.integration.clock import TickingClock
from tests.integration.drafting import policy
from tests.integration.keeping import Keeping, kept
from tests.integration.messages import ORIGIN
from tests.integration.rehydrating import events

__all__ = ["kept"]  # a fixture that is asked for by its name


def test_another_name_is_that_of_every_revision(
    kept: Keeping, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    first, second = kept.put(), kept.put(overwrite=True)
    renamed = kept.change(second, artifact_name="rhel-9-base-final", is_final=True)
    assert (renamed.artifact_name, renamed.is_final) == ("rhel-9-base-final", True)
    assert kept.seen(first).artifact_name == "rhel-9-base-final"
    refs = {"build_id": str(kept.build_id), "name": "rhel-9-base-final"}
    assert artifacts.get_by_client_refs("build", refs).artifact_id == second.id
    part = artifacts.get_by_client_refs("build", {"name": "rhel-9-base-final"})
    assert (part.artifact_id, part.match) == (second.id, "containment")
    with pytest.raises(ArtifactNotFound):
        artifacts.get_by_client_refs("build", {"name": "base"})
    [event] = events(sql, "artifact_renamed")
    assert (event["actor"], event["details"]) == (
        ORIGIN.actor,
        {"before": {"name": "base"}, "after": {"name": "rhel-9-base-final"}},
    )


def test_a_name_that_was_left_is_free(kept: Keeping) -> None:
    made = kept.put()
    kept.change(made, artifact_name="final")
    again = kept.put()
    assert (again.revision, kept.listed()) == (1, [made.id, again.id])


@pytest.mark.parametrize("is_archived", [False, True])
def test_a_name_that_another_has_is_taken(
    kept: Keeping, artifacts: ArtifactService, is_archived: bool
) -> None:
    made, other = kept.put("base"), kept.put("other")
    if is_archived:
        artifacts.mark_archived(other.id)
    with pytest.raises(ArtifactNameTaken) as refused:
        kept.change(made, artifact_name="other", is_final=True)
    assert refused.value.artifact_id == other.id
    assert kept.seen(made) == made


def test_what_was_deleted_steps_aside_from_its_name(
    kept: Keeping, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made, other = kept.put("base"), kept.put("final")
    kept.delete(other)
    assert kept.change(made, artifact_name="final").artifact_name == "final"
    gone = kept.seen(other)
    assert (gone.artifact_name, gone.status) == ("final", Status.DELETED)
    told = artifacts.get_by_id(other.id)
    assert told.client_refs == {
        "build_id": str(kept.build_id),
        "name": "final",
        "retired": str(told.asset_id),
    }
    aside = events(sql, "artifact_renamed")[0]["details"]
    assert aside["after"] == {"name": "final", "retired": str(told.asset_id)}
    kept.delete(kept.seen(made))
    third = kept.change(kept.put("third"), artifact_name="final")
    assert kept.listed() == [third.id]


def test_a_superseded_revision_may_be_given_the_name_it_has(kept: Keeping) -> None:
    first = kept.put()
    kept.put(overwrite=True)
    assert kept.change(first, artifact_name="base").artifact_name == "base"


def hold_by_name(kept: Keeping, artifacts: ArtifactService, holds: HoldService) -> None:
    selector = {"client_type": "build", "client_refs": {"name": "base"}}
    holds.place(HoldRequest.model_validate({"reason": "audit", "selector": selector}), ORIGIN)


def hold_first_revision(kept: Keeping, artifacts: ArtifactService, holds: HoldService) -> None:
    first = artifacts.get_history("build", {"name": "base"}).artifacts[-1]
    asked = {"reason": "audit", "artifact_id": str(first.artifact_id)}
    holds.place(HoldRequest.model_validate(asked), ORIGIN)


@pytest.mark.parametrize("hold", [hold_by_name, hold_first_revision])
def test_what_is_held_keeps_its_name(
    kept: Keeping,
    database: Database,
    clock: TickingClock,
    artifacts: ArtifactService,
    hold: Callable[[Keeping, ArtifactService, HoldService], None],
) -> None:
    kept.put()
    made = kept.put(overwrite=True)
    hold(kept, artifacts, HoldService(database, clock))
    with pytest.raises(ArtifactHeld):
        kept.change(made, artifact_name="other")
    assert kept.change(made, is_final=True).artifact_name == "base"


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "delete", "clock": "created", "selector": {"client_type": "build"}},
        {"kind": "purge", "clock": "deleted", "selector": {"client_refs": {"name": "base"}}},
    ],
)
def test_what_is_retained_keeps_its_name(
    kept: Keeping, database: Database, clock: TickingClock, fields: dict[str, Any]
) -> None:
    made = kept.put()
    PolicyService(database, clock).put(policy("keep", locked=True, **fields))
    with pytest.raises(ArtifactRetained):
        kept.change(made, artifact_name="other")
    assert kept.seen(made) == made
