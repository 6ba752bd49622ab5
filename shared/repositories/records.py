"""Artifacts as the queries tell them: each one a JSON text in the column `artifact`.

Reading that is several times cheaper than reading some fifty columns of their own types.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.models.artifacts import Artifact


def read_artifact(row: Mapping[str, Any]) -> Artifact:
    """The artifact of a row that has one."""
    return Artifact.model_validate_json(row["artifact"])


def read_artifact_if_any(row: Mapping[str, Any] | None) -> Artifact | None:
    """The artifact of a row; None where there is no row, or none in it."""
    return read_artifact(row) if row and row["artifact"] else None


def read_artifacts(rows: Sequence[Mapping[str, Any]]) -> list[Artifact]:
    """The artifacts of rows that each have one."""
    return [read_artifact(row) for row in rows]
