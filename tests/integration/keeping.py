"""Artifacts of one build in tests, registered and looked at through the services alone."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from shared.models.build_artifacts import (
    BuildArtifact,
    BuildArtifactChanges,
    BuildArtifactFilter,
    BuildArtifactRequest,
)
from shared.models.builds import BuildRequest
from shared.services.build_artifacts import BuildArtifactService
from shared.services.build_surface import Builds
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


def another(kept: Keeping, builds: Builds) -> Keeping:
    """A second build, of which nothing was told yet."""
    made = builds.records.create(BuildRequest(build_number="build 2"), ORIGIN)
    return Keeping(kept.service, made.id)


@pytest.fixture
def kept(builds: Builds) -> Keeping:
    """What a build has, which is nothing at first."""
    made = builds.records.create(BuildRequest(build_number="build 1"), ORIGIN)
    return Keeping(builds.artifacts, made.id)
