"""Artifacts of builds are compared with their bytes over HTTP: at once, or later."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from devhost.stack.azurite import Azurite
from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from shared.services.build_surface import Builds
from shared.services.ingestion import IngestionService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from tests.integration.http.build_server import begin, keep, reach, told
from tests.integration.http.caller import Caller, problem
from tests.integration.http.conftest import now
from tests.integration.uploads import Uploads

IMAGE = b"an image of some bytes"
MOST = 64
"""So many bytes are read while somebody waits."""


@pytest.fixture
def app(
    registry: Registry,
    database: Database,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    azurite: Azurite,
) -> FastAPI:
    store = BlobStore(azurite.connection_string)
    verifications = Verifications(database, artifacts, ingestion, store, now, most_at_once=MOST)
    over = replace(registry, builds=Builds.of(database, verifications, now))
    return build_app(lambda: over)


def upload(server: Caller, uploads: Uploads, content: bytes, said: bytes) -> str:
    """Upload a blob and say what it is to be: the path of what is registered."""
    uploads.put("state-20/image.vhd", content)
    build = begin(server)
    made = keep(
        server,
        build,
        storage_backend="azure_blob",
        artifact_path=f"{uploads.container.url}/state-20/image.vhd",
        size_bytes=len(said),
        checksum=hashlib.sha256(said).hexdigest(),
    )
    return f"{build}/artifacts/{made['id']}"


def verify(server: Caller, path: str) -> Any:
    return server.call("POST", f"{path}/verify")


def test_bytes_that_are_as_they_were_told_are_verified(server: Caller, uploads: Uploads) -> None:
    path = upload(server, uploads, IMAGE, IMAGE)
    answer = verify(server, path)
    assert told(answer)["verified_at"] == told(answer)["updated_at"]
    assert told(answer)["found_corrupt_at"] is None
    again = server.get(path)
    assert (told(again), again.headers["etag"]) == (told(answer), answer.headers["etag"])


def test_a_flipped_byte_is_told_and_nothing_is_resumed_with_it(
    server: Caller, uploads: Uploads
) -> None:
    path = upload(server, uploads, b"A" + IMAGE[1:], IMAGE)
    build = path.partition("/artifacts/")[0]
    reach(server, build, 20)
    assert told(server.get(f"{build}/resume-context"))["can_resume"]
    answer = told(verify(server, path))
    assert (answer["verified_at"], answer["found_corrupt_at"] is None) == (None, False)
    context = told(server.get(f"{build}/resume-context"))
    assert (context["can_resume"], context["resumable_artifacts"]) == (False, [])


def test_what_is_large_is_verified_later(server: Caller, uploads: Uploads) -> None:
    large = IMAGE * MOST
    path = upload(server, uploads, large, large)
    answer = verify(server, path)
    later = told(answer, 202)
    assert (later["verified_at"], later["found_corrupt_at"]) == (None, None)
    assert "etag" not in answer.headers


def test_bytes_that_are_not_there_are_told_of(server: Caller, uploads: Uploads) -> None:
    path = upload(server, uploads, IMAGE, IMAGE)
    uploads.container.delete_blob("state-20/image.vhd")
    problem(verify(server, path), 422, "blob-not-found")
    told(server.call("DELETE", path))
    problem(verify(server, path), 409, "invalid-transition")
