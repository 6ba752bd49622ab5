"""Holds beside whoever acts meanwhile, and beside rules that act by themselves."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import LiteralString

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.pool import Database
from shared.errors import ArtifactHeld
from shared.models.artifacts import Artifact
from shared.models.holds import Hold, HoldRequest
from shared.models.ids import new_id
from shared.models.registrations import Move
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.ingestion import IngestionService
from tests.end_to_end.waiting import wait_for
from tests.integration.clock import TickingClock
from tests.integration.locks import somebody_waits
from tests.integration.messages import ORIGIN, apply_rules, deliver, event, told
from tests.integration.registering import create
from tests.integration.uploads import Uploads

Rows = psycopg.Connection[DictRow]


@pytest.fixture
def holds(database: Database, clock: TickingClock) -> HoldService:
    return HoldService(database, clock)


def request(made: Artifact, **more: str) -> Jsonb:
    at = made.created_at.isoformat()
    named = {"artifact_id": str(made.artifact_id), "origin": ORIGIN.as_json(), "at": at}
    return Jsonb(named | more)


def place(holds: HoldService, made: Artifact) -> Hold:
    return holds.place(HoldRequest(artifact_id=made.artifact_id, reason="why"), ORIGIN)


def test_a_hold_waits_for_whoever_is_acting(
    holds: HoldService, artifacts: ArtifactService, sql: Rows
) -> None:
    made = create(artifacts, "one")
    with ThreadPoolExecutor(1) as thread:
        with sql.transaction():
            deletion = request(made, disposition="deleted")
            sql.execute("SELECT registry.move_disposition(%s)", [deletion])
            waiting = thread.submit(place, holds, made)
            wait_for("a hold that waits", lambda: somebody_waits(sql))
            assert not waiting.done()
        waiting.result(timeout=30)
    assert artifacts.get_by_id(made.artifact_id).deleted_at


def test_whoever_would_act_waits_for_a_hold_and_is_refused(
    artifacts: ArtifactService, sql: Rows
) -> None:
    made = create(artifacts, "one")
    with ThreadPoolExecutor(1) as thread:
        with sql.transaction():
            hold = request(made, hold_id=str(new_id()), reason="why")
            sql.execute("SELECT registry.place_hold(%s)", [hold])
            waiting: Future[Move] = thread.submit(artifacts.mark_deleted, made.artifact_id)
            wait_for("a deletion that waits", lambda: somebody_waits(sql))
            assert not waiting.done()
        with pytest.raises(ArtifactHeld):
            waiting.result(timeout=30)
    assert artifacts.get_by_id(made.artifact_id) == made


OF_BEFORE: LiteralString = "SELECT registry.hold_bytes(%s)"


def test_code_of_before_is_refused_as_well(
    holds: HoldService, artifacts: ArtifactService, sql: Rows
) -> None:
    made = create(artifacts, "one")
    sql.execute(OF_BEFORE, [made.artifact_id])
    place(holds, made)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="held"):
        sql.execute(OF_BEFORE, [made.artifact_id])


def test_what_is_held_is_missing_and_not_deleted_whatever_a_rule_wants(
    holds: HoldService,
    ingestion: IngestionService,
    artifacts: ArtifactService,
    database: Database,
    uploads: Uploads,
) -> None:
    apply_rules(database, {
        "name": "tiles", "container": uploads.container.container_name, "path": "{tile}.tif",
        "client_type": "tile", "client_refs": {"tile": "{tile}"}, "when_deleted": "delete",
    })  # fmt: skip
    blobs = [uploads.put(f"{tile}.tif", b"one") for tile in ("held", "free")]
    deliver(ingestion, *map(event, blobs))
    made = [artifacts.get_by_client_refs("tile", {"tile": tile}) for tile in ("held", "free")]
    place(holds, made[0])
    for blob in blobs:
        uploads.container.delete_blob(blob.path)
    deliver(ingestion, *(told("BlobDeleted", blob, api="DeleteBlob") for blob in blobs))
    now = [artifacts.get_by_id(each.artifact_id) for each in made]
    assert all(each.missing_since for each in now)
    assert [each.status for each in now] == ["active", "deleted"]
