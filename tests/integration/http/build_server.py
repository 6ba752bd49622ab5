"""What a build server does over HTTP, in the words of the source document."""

from typing import Any

import httpx

from tests.integration.http.caller import Caller

BUILDS = "/api/builds"
DIGITS = "abcdef0123456789" * 4
SNAPSHOT: dict[str, Any] = {
    "state_code": 20,
    "artifact_name": "base-vm-snapshot",
    "artifact_type": "vm_snapshot",
    "artifact_path": "s3://my-builds/project-123/build-456/state-20/snapshot.qcow2",
    "storage_backend": "s3",
    "storage_region": "us-east-1",
    "storage_bucket": "my-builds",
    "storage_key": "project-123/build-456/state-20/snapshot.qcow2",
    "size_bytes": 2147483648,
    "checksum": DIGITS,
    "checksum_algorithm": "sha256",
    "is_resumable": True,
    "is_final": False,
    "metadata": {
        "vm_id": "vm-abc123",
        "snapshot_id": "snap-xyz789",
        "disk_format": "qcow2",
        "compression": "none",
    },
}
"""The source document's, member for member."""


def told(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def begin(server: Caller, number: str = "build-1", **facets: Any) -> str:
    """The path of a new build."""
    made = server.call("POST", BUILDS, json={"build_number": number, **facets})
    assert told(made, 201)["build_number"] == number
    return made.headers["location"]


def reach(server: Caller, build: str, state: int, **more: Any) -> Any:
    """Tell that a state was reached."""
    body = {"state_code": state, **more}
    return told(server.call("POST", f"{build}/state", json=body), 201)


def keep(server: Caller, build: str, **members: Any) -> Any:
    """Register an artifact, the document's but for these members."""
    return told(server.call("POST", f"{build}/artifacts", json=SNAPSHOT | members), 201)


def following(answer: httpx.Response) -> str | None:
    """Where a `Link` header leads, as a client resolves it; None where there is none."""
    link = answer.links.get("next")
    return str(answer.url.join(link["url"])) if link else None


def walk(server: Caller, path: str) -> list[Any]:
    """All pages of an array, one by one."""
    pages: list[Any] = []
    at: str | None = path
    while at is not None:
        answer = server.get(at)
        pages.append(told(answer))
        at = following(answer)
    return pages
