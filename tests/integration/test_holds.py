"""What is held is not archived, deleted or purged, by nobody, from the moment it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.rows import DictRow
from pydantic import ValidationError

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import (
    ArtifactHeld,
    ArtifactNotFound,
    AssetNotFound,
    HoldNotFound,
    InvalidInput,
    RegistryError,
)
from shared.models.artifacts import Artifact
from shared.models.axes import Disposition
from shared.models.holds import Hold, HoldRequest
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.models.tiers import ColderTier
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.retirement import RetirementService
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.registering import REFS, create

ORIGIN = Origin("key:7", "request 7")
Target = Callable[[Artifact], dict[str, Any]]
TARGETS: dict[str, Target] = {
    "artifact": lambda made: {"artifact_id": made.artifact_id},
    "asset": lambda made: {"asset_id": made.asset_id},
    "selector": lambda _: {
        "selector": {"client_type": "ddh", "client_refs": {"resource_id": "site-a"}}
    },
}


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def holds(database: Database, clock: TickingClock) -> HoldService:
    return HoldService(database, clock)


@pytest.fixture
def retirement(database: Database, clock: TickingClock, azurite: Azurite) -> RetirementService:
    return RetirementService(database, BlobStore(azurite.connection_string), clock)


def place(holds: HoldService, **wanted: Any) -> Hold:
    return holds.place(HoldRequest.model_validate({"reason": "litigation 7", **wanted}), ORIGIN)


def refusals(
    artifacts: ArtifactService, retirement: RetirementService, live: Artifact, deleted: Artifact
) -> list[type[RegistryError] | None]:
    """What archiving and deleting the one and purging the other is refused with."""
    acts: list[Callable[[], object]] = [
        lambda: retirement.archive(live.artifact_id, ColderTier.COOL, ORIGIN),
        lambda: artifacts.mark_archived(live.artifact_id),
        lambda: artifacts.mark_deleted(live.artifact_id),
        lambda: retirement.purge(deleted.artifact_id, ORIGIN),
    ]
    return list(map(refusal, acts))


def refusal(act: Callable[[], object]) -> type[RegistryError] | None:
    try:
        act()
    except RegistryError as error:
        return type(error)
    return None


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_nothing_acts_on_what_is_held_and_everything_on_what_was_released(
    target: Target,
    holds: HoldService,
    artifacts: ArtifactService,
    retirement: RetirementService,
) -> None:
    deleted = create(artifacts, "one")
    artifacts.mark_deleted(deleted.artifact_id)
    live = create(artifacts, "two")
    placed = [place(holds, **target(made)) for made in (live, deleted)]
    assert refusals(artifacts, retirement, live, deleted) == [ArtifactHeld] * 4
    assert artifacts.get_by_id(live.artifact_id) == live
    for hold in placed:
        holds.release(hold.hold_id, ORIGIN)
    assert refusals(artifacts, retirement, live, deleted) == [None] * 4


def test_the_refusal_names_the_hold(holds: HoldService, artifacts: ArtifactService) -> None:
    made = create(artifacts, "one")
    hold = place(holds, artifact_id=made.artifact_id)
    with pytest.raises(ArtifactHeld, match=str(hold.hold_id)) as refused:
        artifacts.mark_deleted(made.artifact_id)
    assert refused.value.hold_id == hold.hold_id


def test_others_are_not_held(holds: HoldService, artifacts: ArtifactService) -> None:
    held = create(artifacts, "one")
    other = create(artifacts, "two", client_refs=REFS | {"resource_id": "site-b"})
    for target in TARGETS.values():
        place(holds, **target(held))
    assert artifacts.mark_deleted(other.artifact_id).artifact.disposition is Disposition.DELETED


def test_a_hold_ends_by_itself_at_its_time(
    holds: HoldService, artifacts: ArtifactService, clock: TickingClock
) -> None:
    made = create(artifacts, "one")
    place(holds, artifact_id=made.artifact_id, until=clock.now + timedelta(hours=1))
    with pytest.raises(ArtifactHeld):
        artifacts.mark_deleted(made.artifact_id)
    clock.now += timedelta(hours=1)
    assert artifacts.mark_deleted(made.artifact_id).artifact.deleted_at


def test_of_several_holds_each_one_holds(holds: HoldService, artifacts: ArtifactService) -> None:
    made = create(artifacts, "one")
    placed = [place(holds, **target(made)) for target in TARGETS.values()]
    for hold in placed:
        with pytest.raises(ArtifactHeld):
            artifacts.mark_deleted(made.artifact_id)
        holds.release(hold.hold_id, ORIGIN)
    assert artifacts.mark_deleted(made.artifact_id).artifact.deleted_at


def test_what_is_deleted_already_may_be_deleted_again(
    holds: HoldService, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "one")
    deleted = artifacts.mark_deleted(made.artifact_id).artifact
    place(holds, artifact_id=made.artifact_id)
    assert artifacts.mark_deleted(made.artifact_id).artifact == deleted


def test_what_is_held_may_be_superseded(holds: HoldService, artifacts: ArtifactService) -> None:
    made = create(artifacts, "one")
    place(holds, asset_id=made.asset_id)
    assert create(artifacts, "two").supersedes == made.artifact_id


def test_both_ends_of_a_hold_are_in_the_audit_trail_once(
    holds: HoldService, artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    made = create(artifacts, "one")
    hold = place(holds, artifact_id=made.artifact_id)
    first, again = (holds.release(hold.hold_id, ORIGIN) for _ in range(2))
    assert again == first == holds.get(hold.hold_id)
    assert (first.released_by, first.owner) == ("key:7", "key:7")
    events = sql.execute(
        "SELECT operation, actor, request_id, asset_id, artifact_id, details FROM registry.outbox"
        " WHERE operation LIKE 'hold%' ORDER BY position"
    ).fetchall()
    told = {"hold_id": str(hold.hold_id), "reason": "litigation 7"}
    rest = ("key:7", "request 7", made.asset_id, made.artifact_id, told)
    assert [tuple(event.values()) for event in events] == [
        ("hold_placed", *rest),
        ("hold_released", *rest),
    ]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({}, "give one of"),
        ({"artifact_id": new_id(), "asset_id": new_id()}, "give one of"),
        ({"selector": {}}, "everything"),
        ({"selector": {"metadata": {}}}, "at least 1"),
        ({"selector": {"min_size_bytes": 2, "max_size_bytes": 1}}, "nothing is meant"),
        ({"selector": {"client": "ddh"}}, "Extra"),
        ({"artifact_id": new_id(), "reason": ""}, "at least 1"),
    ],
)
def test_a_hold_that_means_nothing_or_too_much_is_refused(wanted: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        HoldRequest.model_validate({"reason": "litigation 7", **wanted})


def test_what_is_unknown_cannot_be_held_and_unknown_holds_not_released(
    holds: HoldService, clock: TickingClock, artifacts: ArtifactService
) -> None:
    with pytest.raises(ArtifactNotFound):
        place(holds, artifact_id=new_id())
    with pytest.raises(AssetNotFound):
        place(holds, asset_id=new_id())
    with pytest.raises(InvalidInput, match="ended already"):
        place(holds, artifact_id=create(artifacts, "one").artifact_id, until=clock.now)
    with pytest.raises(HoldNotFound):
        holds.get(new_id())
    with pytest.raises(HoldNotFound):
        holds.release(new_id(), ORIGIN)


def test_there_are_only_so_many_selectors_to_hold_everything_against(
    holds: HoldService, clock: TickingClock
) -> None:
    end = clock.now + timedelta(days=1)
    placed = [place(holds, selector={"container": f"c{i}"}, until=end) for i in range(100)]
    with pytest.raises(InvalidInput, match="release some"):
        place(holds, selector={"container": "one-more"})
    holds.release(placed[0].hold_id, ORIGIN)
    place(holds, selector={"container": "one-more"})
    clock.now = end
    place(holds, selector={"container": "others-have-ended"})


def test_pages_of_holds_are_all_of_them_newest_first(
    holds: HoldService, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "one")
    placed = [place(holds, artifact_id=made.artifact_id) for _ in range(5)][::-1]
    released = holds.release(placed[2].hold_id, ORIGIN)
    for with_released in (False, True):
        found: list[Hold] = []
        cursor = None
        while cursor or not found:
            page = holds.list_holds(with_released=with_released, limit=2, cursor=cursor)
            found += page.holds
            cursor = page.next
        expected = [released if each.hold_id == released.hold_id else each for each in placed]
        assert found == [each for each in expected if with_released or each.released_at is None]


REWRITES: list[LiteralString] = [
    "UPDATE registry.holds SET reason = 'another'",
    "UPDATE registry.holds SET until = '2026-01-02Z'",
    "UPDATE registry.holds SET released_at = NULL, released_by = NULL",
    "DELETE FROM registry.holds",
    "TRUNCATE registry.holds",
]


@pytest.mark.parametrize("statement", REWRITES)
def test_no_statement_rewrites_a_hold(
    statement: LiteralString,
    holds: HoldService,
    artifacts: ArtifactService,
    sql: psycopg.Connection[DictRow],
) -> None:
    hold = place(holds, artifact_id=create(artifacts, "one").artifact_id)
    holds.release(hold.hold_id, ORIGIN)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        sql.execute(statement)
