"""`bldst artifact verify`: the registry reads the bytes itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from devhost.stack.azurite import Azurite
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.services.artifact_service import ArtifactService
from shared.services.build_surface import Builds
from shared.services.ingestion import IngestionService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.cli.storing import with_key
from tests.integration.http.conftest import build_registry, now
from tests.integration.uploads import Uploads


@pytest.fixture
def registry(
    database: Database, artifacts: ArtifactService, ingestion: IngestionService, azurite: Azurite
) -> Registry:
    """One that serves the account into which is uploaded."""
    store = BlobStore(azurite.connection_string)
    verifications = Verifications(database, artifacts, ingestion, store, now)
    built = build_registry(database, artifacts)
    return replace(built, builds=Builds.of(database, verifications, now))


def test_what_was_uploaded_is_right_until_a_byte_of_it_flips(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"image")
    terminal = with_key(server, azurite, uploads.container.container_name)
    made = terminal.read("artifact", "upload", build_id, str(image), "--state", "10")
    command = ("artifact", "verify", build_id, made["id"])
    found = server.read(*command)
    assert (found["verified_at"] is None, found["found_corrupt_at"]) == (False, None)

    uploads.put(made["storage_key"], b"jmage")
    other = server.run(*command)
    assert (other.exit_code, "found_corrupt_at" in other.stdout) == (1, True)
    assert other.stderr == "error: the store holds other bytes than were registered\n"

    uploads.container.delete_blob(made["storage_key"])
    refused(server.run(*command), 1, "There is no blob")
