"""What a policy would do: what is due, what is refused and why, page by page."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.artifacts import Artifact
from shared.models.axes import Processing
from shared.models.holds import HoldRequest
from shared.models.policies import Policy
from shared.models.policy_previews import Candidate
from shared.models.registrations import UNATTRIBUTED
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.policy_previews import PolicyPreviews
from tests.integration.clock import TickingClock
from tests.integration.registering import REFS, create

DAY = timedelta(days=1)
COOL: dict[str, Any] = {
    "name": "cool-old-revisions",
    "kind": "archive",
    "target_tier": "Cool",
    "clock": "superseded",
    "age": "P30D",
}
DELETE = {"name": "delete-old", "kind": "delete", "clock": "superseded", "age": "P30D"}
EXPIRE = {"name": "expire", "kind": "expire", "clock": "expires", "age": "PT0S"}
LOCKED = {"kind": "delete", "target_tier": None, "locked": True}
PURGE = {"name": "purge-deleted", "kind": "purge", "clock": "deleted", "age": "P90D"}


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def previews(database: Database, clock: TickingClock) -> PolicyPreviews:
    return PolicyPreviews(database, clock)


def policy(base: dict[str, Any], **changed: Any) -> Policy:
    return Policy.model_validate({**base, **changed})


def revise(artifacts: ArtifactService, name: str, count: int = 2, **fields: Any) -> list[Artifact]:
    """Revisions of one asset, each with a blob of its own."""
    return [
        create(
            artifacts,
            f"{name} {number}",
            client_refs=REFS | {"resource_id": name},
            **{
                "storage_account": "account",
                "container": "c",
                "blob_path": f"{name}/{number}",
                "size_bytes": 10,
                **fields,
            },
        )
        for number in range(count)
    ]


def look(previews: PolicyPreviews, wanted: Policy) -> tuple[list[Candidate], dict[str, str]]:
    """All of what would be acted on, and why the rest is not, by id."""
    candidates: list[Candidate] = []
    refused: dict[str, str] = {}
    cursor = None
    while True:
        page = previews.preview(wanted, limit=2, cursor=cursor)
        candidates += page.candidates
        refused |= {str(each.artifact_id): each.reason for each in page.refused}
        assert page.total == len(candidates)
        assert page.bytes_freed == sum(each.bytes_freed for each in candidates)
        cursor = page.next
        if cursor is None:
            return candidates, refused


def ids(candidates: list[Candidate]) -> set[object]:
    return {each.artifact_id for each in candidates}


def test_old_revisions_are_due_when_they_were_superseded_long_enough_ago(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    first = revise(artifacts, "a")[0]
    superseded_at = artifacts.get_by_id(first.artifact_id).updated_at
    clock.now += 40 * DAY
    later = revise(artifacts, "b")[0]
    (found,), refused = look(previews, policy(COOL))
    assert (found.artifact_id, found.due_at, found.bytes_freed) == (
        first.artifact_id,
        superseded_at + 30 * DAY,
        10,
    )
    assert found.reason == (
        f"cool-old-revisions: superseded {superseded_at.isoformat()}, revision 2 from the newest"
    )
    assert refused == {}
    clock.now += 40 * DAY
    assert ids(look(previews, policy(COOL))[0]) == {first.artifact_id, later.artifact_id}


def test_what_was_completed_late_is_superseded_since_then(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    late = create(
        artifacts, blob_path="l", storage_account="a", container="c", processing="pending"
    )
    create(artifacts, "two", blob_path="m", storage_account="a", container="c")
    clock.now += 40 * DAY
    assert artifacts.complete(late.artifact_id).processing is Processing.COMPLETED
    assert look(previews, policy(COOL)) == ([], {})
    clock.now += 40 * DAY
    assert ids(look(previews, policy(COOL))[0]) == {late.artifact_id}


def test_the_clock_of_what_is_archived_starts_when_it_was_archived(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    first, _ = revise(artifacts, "a", storage_tier="Cool")
    clock.now += 40 * DAY
    artifacts.mark_archived(first.artifact_id)
    for wanted in (policy(COOL, target_tier="Cold"), policy(DELETE)):
        assert look(previews, wanted) == ([], {})
    clock.now += 40 * DAY
    for wanted in (policy(COOL, target_tier="Cold"), policy(DELETE)):
        assert ids(look(previews, wanted)[0]) == {first.artifact_id}
    assert look(previews, policy(COOL)) == ([], {}), "it is in that tier already"


def test_every_refusal_says_why(
    previews: PolicyPreviews,
    artifacts: ArtifactService,
    database: Database,
    clock: TickingClock,
) -> None:
    held, _ = revise(artifacts, "held")
    shared, _ = revise(artifacts, "shared", blob_path="the same")
    final, current = revise(artifacts, "final", is_final=True)
    wanted = HoldRequest.model_validate({"artifact_id": held.artifact_id, "reason": "why"})
    HoldService(database, clock).place(wanted, UNATTRIBUTED)
    clock.now += 40 * DAY
    candidates, refused = look(previews, policy(COOL))
    assert ids(candidates) == {final.artifact_id}
    assert refused == {str(held.artifact_id): "hold", str(shared.artifact_id): "shared location"}
    candidates, refused = look(previews, policy(DELETE, clock="created", age="P35D"))
    assert ids(candidates) == {shared.artifact_id}
    assert refused[str(held.artifact_id)] == "hold"
    assert refused[str(final.artifact_id)] == "final deliverable"
    assert refused[str(current.artifact_id)] == "current"


def test_current_ones_are_meant_where_the_selector_says_so(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    _, current = revise(artifacts, "a")
    clock.now += 40 * DAY
    wanted = policy(DELETE, clock="created", selector={"status": "active"})
    assert ids(look(previews, wanted)[0]) == {current.artifact_id}


def test_the_newest_revisions_are_kept(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    made = revise(artifacts, "a", 5)
    revise(artifacts, "b", 2)
    clock.now += 40 * DAY
    candidates, refused = look(previews, policy(COOL, keep_last=2))
    assert ids(candidates) == {each.artifact_id for each in made[:3]}
    assert set(refused.values()) == {"kept revision"}
    assert len(refused) == 2


def test_what_has_an_end_of_its_own_expires_then_current_or_not(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    made = create(artifacts, "one", expires_at=clock.now + DAY)
    assert look(previews, policy(EXPIRE)) == ([], {})
    clock.now += DAY
    assert ids(look(previews, policy(EXPIRE))[0]) == {made.artifact_id}


def test_of_deleted_ones_at_one_place_the_bytes_count_once(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    made = revise(artifacts, "a", 3, blob_path="the same")
    for artifact in made:
        artifacts.mark_deleted(artifact.artifact_id)
    clock.now += 89 * DAY
    assert look(previews, policy(PURGE)) == ([], {})
    clock.now += 2 * DAY
    candidates, _ = look(previews, policy(PURGE))
    assert ids(candidates) == {each.artifact_id for each in made}
    assert sum(each.bytes_freed for each in candidates) == 10


def test_skipped_ones_keep_nobody_behind_them_waiting(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    revise(artifacts, "many", 20)
    last, _ = revise(artifacts, "last", artifact_type="raster")
    clock.now += 40 * DAY
    wanted = policy(COOL, selector={"artifact_type": "raster"})
    assert ids(look(previews, wanted)[0]) == {last.artifact_id}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"target_tier": None}, "needs a target_tier"),
        ({"target_tier": "Hot"}, "target_tier"),
        ({"kind": "delete"}, "nothing else has one"),
        ({"clock": "deleted"}, "archive counts from"),
        ({"age": 30}, "ISO 8601"),
        ({"age": "-P1D"}, "ISO 8601"),
        ({"keep_last": -1}, "greater"),
        ({"locked": True}, "destroys nothing"),
        (LOCKED | {"selector": {"status": "superseded"}}, "by what changes"),
        (LOCKED | {"selector": {"metadata": {"a": 1}}}, "by what changes"),
        (LOCKED | {"enabled": False}, "is enabled"),
        ({"name": "Not a name"}, "pattern"),
        ({"selector": {"colour": "red"}}, "Extra"),
    ],
)
def test_what_makes_no_policy_is_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        policy(COOL, **changed)


def test_a_cursor_of_another_policy_is_refused(
    previews: PolicyPreviews, artifacts: ArtifactService, clock: TickingClock
) -> None:
    revise(artifacts, "a")
    clock.now += 40 * DAY
    cursor = previews.preview(policy(COOL), limit=1).next
    for wanted in (policy(COOL, age="P31D"), policy(PURGE)):
        with pytest.raises(InvalidInput):
            previews.preview(wanted, cursor=cursor)
