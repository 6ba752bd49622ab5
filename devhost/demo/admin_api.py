"""What the demo reads over HTTP, as an operator would."""

import json
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from pydantic import BaseModel

from devhost.stack.errors import StackError

WAIT_SECONDS = 45.0
POLL_SECONDS = 0.5


class Artifact(BaseModel):
    """The members of an artifact that the demo shows."""

    artifact_id: UUID
    client_type: str
    client_refs: dict[str, Any]
    revision: int
    status: str
    content_hash: str | None
    size_bytes: int | None
    blob_path: str | None
    created_at: datetime
    supersedes: UUID | None
    superseded_by: UUID | None


class AdminApi:
    """The HTTP surfaces of a running registry, for the blobs of one container."""

    def __init__(self, client: httpx.Client, account: str, container: str) -> None:
        self._client = client
        self._place = {"storage_account": account, "container": container}

    def newest(self, path: str) -> Artifact | None:
        """What was registered of a blob last, as whatever asset the rules say it is."""
        asked = {**self._place, "blob_path": path, "sort": "-created_at", "limit": "1"}
        found = self._ask("/api/v1/artifacts", **asked)["artifacts"]
        return Artifact.model_validate(found[0]) if found else None

    def history(self, artifact: Artifact) -> list[Artifact]:
        """Every revision of an artifact's asset, oldest first."""
        references = json.dumps(artifact.client_refs)
        asked = {"client_type": artifact.client_type, "client_refs": references}
        return _artifacts(self._ask("/api/admin/artifacts/history", **asked)["history"])

    def chain(self, artifact_id: UUID) -> list[Artifact]:
        """What an artifact replaced and what replaced it, oldest first."""
        told = self._ask(f"/api/admin/artifacts/{artifact_id}/chain", direction="both")
        return _artifacts(told["chain"])

    def wait_for_another(self, before: Artifact | None, path: str) -> Artifact:
        """Raises `StackError` when nothing else is registered of the blob in time."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            found = self.newest(path)
            if found and (before is None or found.artifact_id != before.artifact_id):
                return found
            time.sleep(POLL_SECONDS)
        raise StackError(
            f"{path} was not registered within {WAIT_SECONDS:.0f} seconds; "
            "the output of `make run` says why."
        )

    def _ask(self, path: str, **parameters: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get(path, params=parameters).raise_for_status().json()
        return answer


def _artifacts(items: list[dict[str, Any]]) -> list[Artifact]:
    return sorted(map(Artifact.model_validate, items), key=lambda artifact: artifact.revision)
