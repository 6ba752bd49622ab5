"""What the demo reads over HTTP, as an operator would."""

import time
from datetime import datetime
from http import HTTPStatus
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
    revision: int
    status: str
    content_hash: str | None
    size_bytes: int | None
    blob_path: str | None
    created_at: datetime
    supersedes: UUID | None
    superseded_by: UUID | None


class AdminApi:
    """The admin surface of a running registry, for the blobs of one container."""

    def __init__(self, client: httpx.Client, account: str, container: str) -> None:
        self._client = client
        self._blob = {"client_type": "blob", "account": account, "container": container}

    def history(self, path: str) -> list[Artifact]:
        """Every revision of a blob, oldest first; none when it was never registered."""
        answer = self._client.get(
            "/api/admin/artifacts/history", params={**self._blob, "path": path}
        )
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return []
        return _artifacts(answer.raise_for_status().json()["history"])

    def chain(self, artifact_id: UUID) -> list[Artifact]:
        """What an artifact replaced and what replaced it, oldest first."""
        answer = self._client.get(
            f"/api/admin/artifacts/{artifact_id}/chain", params={"direction": "both"}
        )
        return _artifacts(answer.raise_for_status().json()["chain"])

    def wait_for_revision_after(self, revision: int, path: str) -> Artifact:
        """Raises `StackError` when the blob gets no later revision in time."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            history = self.history(path)
            if history and history[-1].revision > revision:
                return history[-1]
            time.sleep(POLL_SECONDS)
        raise StackError(
            f"{path} was not registered within {WAIT_SECONDS:.0f} seconds; "
            "the output of `make run` says why."
        )


def _artifacts(items: list[dict[str, Any]]) -> list[Artifact]:
    return sorted(map(Artifact.model_validate, items), key=lambda artifact: artifact.revision)
