"""`registry verify` and `registry integrity`: the registry reads the bytes itself."""

from dataclasses import replace
from typing import NoReturn

import pytest

from devhost.stack.azurite import Azurite
from functions.http import handlers
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.errors import BlobChanged
from shared.models.artifacts import Artifact
from shared.models.registrations import UNATTRIBUTED
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.http.conftest import build_registry, now
from tests.integration.registering import create
from tests.integration.uploads import Uploads


@pytest.fixture
def registry(
    database: Database, artifacts: ArtifactService, ingestion: IngestionService, azurite: Azurite
) -> Registry:
    """One that serves the account into which is uploaded."""
    store = BlobStore(azurite.connection_string)
    verifications = Verifications(database, artifacts, ingestion, store, now)
    return replace(build_registry(database, artifacts), verifications=verifications)


@pytest.fixture
def made(uploads: Uploads, ingestion: IngestionService) -> list[Artifact]:
    contents = {"a.tif": b"one", "b.tif": b"two", "c.tif": b"three"}
    blobs = [uploads.put(name, content) for name, content in contents.items()]
    return [ingestion.register_blob(blob, UNATTRIBUTED).artifact for blob in blobs]


def row(artifact: Artifact, result: str, reason: str | None = None) -> dict[str, str | None]:
    return {"artifact_id": str(artifact.artifact_id), "result": result, "reason": reason}


def test_artifacts_are_verified_by_id(terminal: Terminal, made: list[Artifact]) -> None:
    ids = [str(each.artifact_id) for each in made[:2]]
    assert terminal.read("verify", *ids, ids[0]) == [row(each, "ok") for each in made[:2]]
    told = terminal.run("verify", *ids)
    assert (told.exit_code, told.stderr) == (0, "2 ok\n")


def test_other_bytes_and_missing_ones_end_the_command_with_1(
    terminal: Terminal, made: list[Artifact], uploads: Uploads
) -> None:
    uploads.put("a.tif", b"0ne")
    uploads.container.delete_blob("b.tif")
    told = terminal.run("verify", "--all")
    assert told.exit_code == 1
    assert all(word in told.stdout for word in ("mismatch", "missing", "written again since"))
    first, last = told.stderr.splitlines()
    assert first == "1 mismatch, 1 missing, 1 ok"
    assert last == "error: the bytes of 2 artifact(s) are missing, or not those registered"
    report = terminal.read("integrity", "--days", "7")
    assert (report["days"], report["corrupt"]) == (7, [str(made[0].artifact_id)])


def test_a_revision_that_was_written_over_is_missed_only_where_it_is_asked_for(
    terminal: Terminal, made: list[Artifact], uploads: Uploads, ingestion: IngestionService
) -> None:
    ingestion.register_blob(uploads.put("a.tif", b"one again"), UNATTRIBUTED)
    told = terminal.run("verify", "--all")
    assert (told.exit_code, told.stderr) == (0, "1 skipped, 3 ok\n")
    asked = terminal.run("verify", str(made[0].artifact_id))
    assert (asked.exit_code, asked.stderr.splitlines()[0]) == (1, "1 missing")


def test_all_are_those_with_bytes_and_a_hash_and_what_is_being_written_is_skipped(
    terminal: Terminal,
    made: list[Artifact],
    artifacts: ArtifactService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(artifacts, "nowhere")
    artifacts.mark_deleted(made[0].artifact_id)
    assert terminal.read("verify", "--all") == [row(each, "ok") for each in made[1:]]
    assert terminal.read("verify", "--all", "--client-type", "unknown") == []
    assert terminal.run("verify", "--all", "--client-type", "none").stderr == (
        "there is nothing to verify\n"
    )

    def change(*_: object, **__: object) -> NoReturn:
        raise BlobChanged

    monkeypatch.setattr(BlobStore, "properties", change)
    monkeypatch.setattr(handlers, "RETRY_AFTER_SECONDS", 0)
    artifacts.mark_deleted(made[1].artifact_id)
    [told] = terminal.read("verify", "--all")
    assert (told["artifact_id"], told["result"]) == (str(made[2].artifact_id), "skipped")


def test_a_sample_is_some_of_them(terminal: Terminal, made: list[Artifact]) -> None:
    [chosen] = terminal.read("verify", "--sample", "1")
    assert chosen in [row(each, "ok") for each in made]


def test_what_is_named_and_cannot_be_verified_ends_the_command(
    terminal: Terminal, made: list[Artifact], artifacts: ArtifactService
) -> None:
    refused(terminal.run("verify", str(made[0].asset_id)), 3, "no such artifact")
    artifacts.mark_deleted(made[0].artifact_id)
    refused(terminal.run("verify", str(made[0].artifact_id)), 5, "deleted")


@pytest.mark.parametrize(
    "arguments", [(), ("--all", "--sample", "3"), ("--sample", "3", "--client-type", "blob")]
)
def test_it_is_said_once_what_is_to_be_verified(
    terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    result = terminal.run("verify", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
