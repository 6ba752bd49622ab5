"""Artifacts as tables for the terminal."""

from collections.abc import Sequence
from uuid import UUID

from rich.table import Table

from devhost.demo.admin_api import Artifact


def artifact_table(title: str, artifacts: Sequence[Artifact]) -> Table:
    """Which artifact each blob is."""
    table = Table("Blob", "Rev.", "Status", "Artifact", title=title)
    for artifact in artifacts:
        table.add_row(
            artifact.blob_path,
            str(artifact.revision),
            artifact.status,
            str(artifact.artifact_id),
        )
    return table


def history_table(title: str, artifacts: Sequence[Artifact]) -> Table:
    """What each revision holds and when it came."""
    table = Table("Rev.", "Status", "Bytes", "Content hash", "Registered (UTC)", title=title)
    for artifact in artifacts:
        table.add_row(
            str(artifact.revision),
            artifact.status,
            f"{artifact.size_bytes:,}" if artifact.size_bytes is not None else "",
            f"{artifact.content_hash[:16]}…" if artifact.content_hash else "",
            f"{artifact.created_at:%Y-%m-%d %H:%M:%S}",
        )
    return table


def chain_table(title: str, artifacts: Sequence[Artifact]) -> Table:
    """What replaced what, by revision."""
    revisions = {artifact.artifact_id: artifact.revision for artifact in artifacts}

    def revision(artifact_id: UUID | None) -> str:
        return "" if artifact_id is None else str(revisions.get(artifact_id, artifact_id))

    table = Table("Supersedes", "Revision", "Superseded by", "Artifact", title=title)
    for artifact in artifacts:
        table.add_row(
            revision(artifact.supersedes),
            str(artifact.revision),
            revision(artifact.superseded_by),
            str(artifact.artifact_id),
        )
    return table
