"""Artifacts of one build in tests, registered and looked at through the services alone."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.build_artifacts import (
    BuildArtifact,
    BuildArtifactChanges,
    BuildArtifactFilter,
    BuildArtifactRequest,
)
from shared.models.builds import BuildRequest
from shared.services.artifact_service import ArtifactService
from shared.services.build_artifacts import BuildArtifactService
from shared.services.builds import BuildService
from shared.services.ingestion import IngestionService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.messages import ORIGIN


@dataclass(frozen=True)
class Keeping:
    """A build's artifacts."""

    service: BuildArtifactService
    build_id: UUID

    def put(self, name: str = "base", state: int = 10, **fields: Any) -> BuildArtifact:
        """Register an artifact; without a word of where, in a bucket."""
        return self.service.register(self.build_id, asked(name, state, **fields), ORIGIN)

    def change(self, artifact: BuildArtifact, **changes: Any) -> BuildArtifact:
        wanted = BuildArtifactChanges.model_validate(changes)
        return self.service.update(self.build_id, artifact.id, wanted, ORIGIN)

    def delete(self, artifact: BuildArtifact) -> BuildArtifact:
        return self.service.delete(self.build_id, artifact.id, ORIGIN)

    def seen(self, artifact: BuildArtifact) -> BuildArtifact:
        return self.service.get(self.build_id, artifact.id)

    def listed(self, **wanted: Any) -> list[UUID]:
        """Ids of those that satisfy the conditions, in the order of the list."""
        page = self.service.list_artifacts(self.build_id, BuildArtifactFilter(**wanted))
        return [artifact.id for artifact in page.artifacts]


def asked(name: str = "base", state: int = 10, **fields: Any) -> BuildArtifactRequest:
    """What a build server asks to register."""
    return BuildArtifactRequest.model_validate(
        {
            "state_code": state,
            "artifact_name": name,
            "artifact_type": "vm_snapshot",
            "artifact_path": f"s3://builds/state-{state}/{name}.qcow2",
            "storage_backend": "s3",
        }
        | fields
    )


def new_build(database: Database, clock: TickingClock, number: str = "build 1") -> UUID:
    """A build that nothing was told of yet."""
    return BuildService(database, clock).create(BuildRequest(build_number=number), ORIGIN).id


@pytest.fixture
def kept(
    database: Database,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    azurite: Azurite,
    clock: TickingClock,
) -> Keeping:
    """What a build has, which is nothing at first."""
    store = BlobStore(azurite.connection_string)
    verifications = Verifications(database, artifacts, ingestion, store, clock)
    service = BuildArtifactService(database, verifications, clock)
    return Keeping(service, new_build(database, clock))
