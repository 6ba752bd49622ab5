"""Artifacts of builds in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.build_artifacts import BuildArtifact, BuildArtifactFilter
from shared.models.checksums import Checksum, ChecksumAlgorithm, parse_checksum

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Added:
    """What came of registering an artifact; `in_the_way` has its name."""

    outcome: str
    artifact: BuildArtifact | None
    in_the_way: UUID | None


@dataclass(frozen=True)
class Listed:
    """Part of a list: at most as many as were asked for, and as are some megabytes long."""

    artifacts: list[BuildArtifact]
    leads_on: bool


@dataclass(frozen=True)
class ToldBytes:
    """What the sender of a build's artifact said of its bytes; nothing where it is no build's."""

    checksum: Checksum | None = None

    @property
    def other_algorithm(self) -> ChecksumAlgorithm | None:
        """By which to hash beside SHA-256, if so."""
        algorithm = self.checksum and self.checksum.algorithm
        return None if algorithm is ChecksumAlgorithm.SHA256 else algorithm


class BuildArtifactRepository:
    """Every statement about artifacts of builds. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def add(self, request: Mapping[str, Any]) -> Added:
        """Run `registry.add_build_artifact`."""
        row = self._one("add", {"request": Jsonb(request)})
        assert row is not None  # noqa: S101 - the function always answers with one row
        return Added(row["outcome"], _artifact(row), row["in_the_way"])

    def get(self, build_id: UUID, artifact_id: UUID) -> BuildArtifact | None:
        """An artifact of the build; None if it has none of this id."""
        return _artifact(self._one("get", {"build_id": build_id, "artifact_id": artifact_id}))

    def hold(
        self, build_id: UUID, artifact_id: UUID, new_name: str | None, *, shares_holds: bool
    ) -> BuildArtifact | None:
        """The same, locked with its build until the transaction ends, and ready for a new name.

        What holds forbid shares them: it waits for one that is being placed.
        """
        asked = {
            "build_id": build_id,
            "artifact_id": artifact_id,
            "new_name": new_name,
            "shares_holds": shares_holds,
        }
        return _artifact(self._one("hold", asked))

    def told_bytes(self, artifact_id: UUID) -> ToldBytes:
        """What was said of an artifact's bytes beside its content hash."""
        row = self._one("told_bytes", {"artifact_id": artifact_id})
        if row is None:
            return ToldBytes()
        algorithm = row["checksum_algorithm"]
        checksum = (
            parse_checksum(row["checksum"], ChecksumAlgorithm(algorithm)) if algorithm else None
        )
        return ToldBytes(checksum)

    def rename(self, request: Mapping[str, Any]) -> UUID | None:
        """Run `registry.rename_build_artifact`: the artifact that has the name, if one has."""
        row = self._one("rename", {"request": Jsonb(request)})
        assert row is not None  # noqa: S101 - the function always answers with one row
        return row["taken_by"]

    def take_up(self, request: Mapping[str, Any]) -> None:
        """Run `registry.take_up_build_artifact`."""
        self._connection.execute(_QUERIES["take_up"], {"request": Jsonb(request)})

    def page(
        self, build_id: UUID, wanted: BuildArtifactFilter, after: UUID | None, limit: int
    ) -> Listed | None:
        """Artifacts behind one of them, by state and time; None where there is no such build."""
        asked = wanted.model_dump(mode="json") | {
            "build_id": str(build_id),
            "after": str(after) if after else None,
            "most": limit,
        }
        row = self._one("page", {"request": Jsonb(asked)})
        if row is None or row["artifacts"] is None:
            return None
        told = map(BuildArtifact.model_validate_json, row["artifacts"])
        return Listed(list(told), row["leads_on"])

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow | None:
        return self._connection.execute(_QUERIES[name], parameters).fetchone()


def _artifact(row: DictRow | None) -> BuildArtifact | None:
    return BuildArtifact.model_validate_json(row["artifact"]) if row and row["artifact"] else None
