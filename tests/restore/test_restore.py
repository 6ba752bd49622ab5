"""A backup, a day that it does not know, everything lost: restored, reconciled, and proven."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from devhost.stack.azurite import Azurite
from shared.errors import ArtifactHeld, ArtifactNotFound, SealConflict
from shared.models.artifacts import Artifact, ArtifactRegistration
from shared.models.backfills import Hashing
from shared.models.holds import HoldRequest
from shared.models.reconciliations import Finding
from shared.models.registrations import IdempotencyKey, Origin, Outcome
from shared.services.artifact_service import ArtifactService
from shared.services.holds import HoldService
from shared.services.retirement import RetirementService
from shared.services.trail_recovery import TrailRecovery
from shared.storage.accounts import BlobAccounts
from tests.integration.auditing import assert_whole
from tests.integration.backfilling import HASHING_QUEUE, Backfilling, backfilling_over
from tests.integration.clock import TickingClock
from tests.integration.proving import Proving, proving
from tests.integration.sealed import closed, opened
from tests.integration.test_reconciliation import Watched, compare
from tests.integration.uploads import Uploads, uploading_to
from tests.restore.backups import dump, restore

OPERATOR = Origin("key:operator")
FIRST = {"client_type": "restore", "client_refs": {"name": "asked before"}}
SECOND = {"client_type": "restore", "client_refs": {"name": "asked afterwards"}}


@dataclass
class Ground:
    """One registry, over one database, one container and one trail."""

    proof: Proving
    backfilling: Backfilling
    uploads: Uploads

    @property
    def artifacts(self) -> ArtifactService:
        return ArtifactService(self.proof.database, self.proof.clock)

    @property
    def holds(self) -> HoldService:
        return HoldService(self.proof.database, self.proof.clock)

    @property
    def recovery(self) -> TrailRecovery:
        its = self.proof
        return TrailRecovery(
            its.database, its.trail.table, its.relay, its.kept, its.keys, its.clock
        )

    def upload(self, name: str, content: str) -> Artifact:
        """And the event of it comes."""
        blob = self.uploads.put(name, content.encode())
        return self.backfilling.ingestion.register_blob(blob, OPERATOR).artifact

    def hold(self, artifact: Artifact) -> UUID:
        wanted = HoldRequest(artifact_id=artifact.artifact_id, reason="evidence")
        return self.holds.place(wanted, OPERATOR).hold_id

    def purge(self, artifact: Artifact) -> None:
        store = BlobAccounts([self.backfilling.store])
        retirement = RetirementService(self.proof.database, store, self.proof.clock)
        self.artifacts.mark_deleted(artifact.artifact_id, OPERATOR)
        retirement.purge(artifact.artifact_id, OPERATOR)

    def ask(self, fields: Mapping[str, object], key: str) -> UUID:
        """As a client does that repeats what it asks for under one key."""
        asked = ArtifactRegistration.model_validate(fields)
        fingerprint = hashlib.sha256(json.dumps(fields).encode()).digest()
        once = IdempotencyKey("operator", key, fingerprint)
        return self.artifacts.register(asked, OPERATOR, idempotency=once).artifact.artifact_id


@pytest.fixture
def ground(
    database_url: str, azurite: Azurite, storage_container: str, unique_name: str
) -> Iterator[Ground]:
    clock = TickingClock()
    database, sql = opened(database_url)
    account = azurite.connection_string
    with (
        proving(account, unique_name, database, sql, clock) as proof,
        uploading_to(account, storage_container) as uploads,
    ):
        services = backfilling_over(account, storage_container, database, clock)
        ground = Ground(proof, services, uploads)
        yield ground
        closed(ground.proof.database, ground.proof.sql)
        services.queue.delete_queue()


def lose_and_restore(ground: Ground, url: str, file: Path, account: str) -> None:
    closed(ground.proof.database, ground.proof.sql)
    restore(url, file)
    database, sql = opened(url)
    ground.proof = replace(ground.proof, database=database, sql=sql)
    ground.backfilling = backfilling_over(
        account,
        ground.backfilling.scope.container,
        database,
        ground.proof.clock,
        is_new=False,
    )


@dataclass(frozen=True)
class Lived:
    """What there was, and what was lost of it."""

    before: dict[str, Artifact]
    later: dict[str, Artifact]
    asked: UUID
    lost_answer: UUID
    lost_hold: UUID
    known: list[dict[str, Any]]
    """The events of the trail."""


def live(ground: Ground, url: str, file: Path) -> Lived:
    """Some hours of which the backup knows, and some of which it does not."""
    clock = ground.proof.clock
    clock.now += timedelta(hours=20)
    before = {name: ground.upload(name, name) for name in ("same", "overwritten", "purged", "held")}
    ground.hold(before["held"])
    asked = ground.ask(FIRST, "first")
    ground.proof.relay.relay(60)
    ground.upload("waiting", "its event waits in the backup")
    dump(url, file)

    later = {name: ground.upload(name, name) for name in ("later", "twice")}
    ground.upload("twice", "once more")
    ground.upload("overwritten", "by other bytes")
    ground.purge(before["purged"])
    lost_hold = ground.hold(before["same"])
    lost_answer = ground.ask(SECOND, "second")
    ground.proof.relay.relay(60)
    clock.now += timedelta(hours=5)
    assert ground.proof.seals.seal_days(60) == 1
    known = ground.proof.trail.events("day")
    return Lived(before, later, asked, lost_answer, lost_hold, known)


def test_all_that_can_be_known_is_known_again(
    ground: Ground, database_url: str, azurite: Azurite, tmp_path: Path
) -> None:
    lived = live(ground, database_url, tmp_path / "backup")
    lose_and_restore(ground, database_url, tmp_path / "backup", azurite.connection_string)
    take_up_the_trail(ground, lived)
    reconcile_the_store(ground)
    assert_known_again(ground, lived.before, lived.later)

    # What clients and queues still hold of those hours.
    assert ground.ask(FIRST, "first") == lived.asked
    assert ground.ask(SECOND, "second") != lived.lost_answer
    body = json.dumps({"artifact_ids": [str(lived.later["later"].artifact_id)]}).encode()
    ground.backfilling.late.take(HASHING_QUEUE, body, OPERATOR)

    ground.proof.relay.relay(60)
    told = ground.proof.trail.events("day")
    assert told[: len(lived.known)] == lived.known
    assert len({event["event_id"] for event in told}) == len(told)
    assert_whole(ground.proof.trail, ground.proof.sql, len(told))
    ground.proof.clock.now += timedelta(days=1)
    assert ground.proof.seals.seal_days(60) == 2
    proof = ground.proof.verify()
    assert (proof.is_whole, proof.sealed_days, proof.events) == (True, 2, len(told))


def take_up_the_trail(ground: Ground, lived: Lived) -> None:
    """It tells of the hold that the database does not know."""
    with pytest.raises(SealConflict):
        ground.proof.relay.relay(60)
    found = ground.recovery.take_up(Origin("cli:audit reconcile"))
    assert (found.last_number, found.sealed_days, found.lost) == (len(lived.known), 1, 0)
    told = [event for event in lived.known if event["operation"] == "hold_placed"]
    assert [event["number"] > found.known_number for event in told] == [False, True]
    assert str(lived.lost_hold) in json.dumps(told[-1]["details"])


def reconcile_the_store(ground: Ground) -> None:
    """Everything that differs is found and mended, once."""
    differing = {
        "later": Finding.UNREGISTERED,
        "twice": Finding.UNREGISTERED,
        "overwritten": Finding.ETAG,
        "purged": Finding.MISSING,
    }
    assert compare(ground.backfilling) == differing
    repaired = ground.backfilling.reconciliation.repair(
        ground.backfilling.scope, Watched(), Hashing.NOW, Origin("cli:reconcile")
    )
    assert (repaired.found.total(), repaired.remaining) == (len(differing), 0)
    assert compare(ground.backfilling) == {}


def assert_known_again(
    ground: Ground, before: dict[str, Artifact], later: dict[str, Artifact]
) -> None:
    """Under other ids, and as many revisions as the store has states."""
    artifacts = ground.artifacts
    rows = ground.proof.sql.execute("SELECT * FROM registry.artifact_records").fetchall()
    revisions = {
        name: [row["revision"] for row in rows if row["blob_path"] == name] for name in later
    }
    assert revisions == {"later": [1], "twice": [1]}
    for lost in later.values():
        with pytest.raises(ArtifactNotFound):
            artifacts.get_by_id(lost.artifact_id)
    for name in ("later", "twice", "overwritten", "same"):
        repeated = ground.backfilling.ingestion.register_blob(
            ground.uploads.reference(name), OPERATOR
        )
        assert repeated.outcome is Outcome.UNCHANGED, name
    first = artifacts.get_by_id(before["overwritten"].artifact_id)
    assert first.superseded_by is not None
    second = artifacts.get_by_id(first.superseded_by)
    assert (second.revision, second.supersedes) == (2, first.artifact_id)
    purged = artifacts.get_by_id(before["purged"].artifact_id)
    assert (purged.status, purged.missing_since is None) == ("active", False)
    with pytest.raises(ArtifactHeld):
        artifacts.mark_deleted(before["held"].artifact_id)
    assert artifacts.mark_deleted(before["same"].artifact_id).artifact.status == "deleted"
