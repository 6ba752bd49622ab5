"""Bringing archived bytes back in tests, from a store that takes its time as Azure does."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.artifacts import Artifact
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.models.rehydrations import RehydrateRequest
from shared.models.tiers import ColderTier, RehydratePriority, WarmerTier
from shared.services.ingestion import IngestionService
from shared.services.rehydration import AGAIN_AFTER, RehydrationService
from shared.services.retirement import RetirementService
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.uploads import Uploads

TIMER = Origin("function:check_rehydrations")


class SlowStore(BlobStore):
    """Azurite brings bytes back at once; here, as in Azure, they are pending until they thaw."""

    def __init__(self, connection_string: str) -> None:
        super().__init__(connection_string)
        self.asked: list[tuple[str, str, RehydratePriority | None]] = []
        self.fault: Exception | None = None
        self._pending: dict[BlobReference, str] = {}

    def properties(
        self, reference: BlobReference, *, version_id: str | None = None
    ) -> BlobProperties:
        found = super().properties(reference, version_id=version_id)
        target = self._pending.get(reference)
        status = f"rehydrate-pending-to-{target.lower()}" if target else None
        return replace(found, archive_status=status)

    def set_tier(
        self, properties: BlobProperties, tier: str, priority: RehydratePriority | None = None
    ) -> None:
        if self.fault:
            raise self.fault
        if properties.tier != ColderTier.ARCHIVE:
            super().set_tier(properties, tier, priority)
            return
        self.asked.append((properties.reference.path, tier, priority))
        self._pending[properties.reference] = tier

    def thaw(self, but: Collection[str] = ()) -> None:
        """Hours later: what is pending is back, but for blobs of these names."""
        for reference, tier in list(self._pending.items()):
            if reference.path not in but:
                super().set_tier(super().properties(reference), tier)
                del self._pending[reference]


@dataclass
class Rehydrating:
    """The services around one slow store, and the blobs there."""

    store: SlowStore
    service: RehydrationService
    retirement: RetirementService
    ingestion: IngestionService
    uploads: Uploads
    clock: TickingClock

    def archived(
        self, content: bytes = b"one", name: str = "a.tif", tier: ColderTier = ColderTier.ARCHIVE
    ) -> Artifact:
        """An artifact whose bytes were archived."""
        blob = self.uploads.put(name, content)
        made = self.ingestion.register_blob(blob, UNATTRIBUTED).artifact
        return self.retirement.archive(made.artifact_id, tier, UNATTRIBUTED).artifact

    def ask(
        self,
        artifact: Artifact,
        target_tier: WarmerTier = WarmerTier.HOT,
        priority: RehydratePriority = RehydratePriority.STANDARD,
        **conditions: Any,
    ) -> Artifact:
        asked = RehydrateRequest(target_tier=target_tier, priority=priority)
        return self.service.rehydrate(artifact.artifact_id, asked, UNATTRIBUTED, **conditions)

    def check(self) -> int:
        """What the timer does, at its next time."""
        self.clock.now += AGAIN_AFTER
        return self.service.check_due(60.0, TIMER)


@pytest.fixture
def rehydrating(
    azurite: Azurite,
    database: Database,
    ingestion: IngestionService,
    uploads: Uploads,
    clock: TickingClock,
) -> Rehydrating:
    store = SlowStore(azurite.connection_string)
    return Rehydrating(
        store,
        RehydrationService(database, store, clock),
        RetirementService(database, store, clock),
        ingestion,
        uploads,
        clock,
    )


def events(sql: psycopg.Connection[DictRow], *operations: str) -> list[DictRow]:
    """What the audit trail tells of these, in order."""
    return sql.execute(
        "SELECT operation, actor, details FROM registry.outbox WHERE operation = ANY (%s)"
        " ORDER BY position",
        [list(operations)],
    ).fetchall()


def waiting(sql: psycopg.Connection[DictRow], table: str) -> int:
    row = sql.execute(f"SELECT count(*) AS n FROM registry.{table}".encode()).fetchone()  # noqa: S608 - ours
    assert row
    return row["n"]
