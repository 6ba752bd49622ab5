"""Commands that an identity lets in: no key, no password, no signature is anywhere."""

import os
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from devhost.stack.azurite import ACCOUNT
from tests.integration.backfilling import running
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.identifying import (
    TokenAzurite,
    TokenGiver,
    account,
    emulator,
    giver,
    uploads,
)
from tests.integration.uploads import Uploads

__all__ = ["account", "emulator", "giver", "uploads"]  # fixtures that are asked for by their names

IMAGE = b"a base image" * 1000


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.qcow2"
    path.write_bytes(IMAGE)
    return path


def test_operators_work_on_database_and_storage_with_their_tokens(
    giver: TokenGiver,
    emulator: TokenAzurite,
    uploads: Uploads,
    database_url: str,
    unique_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uploads.put("a", b"x")
    parts = urlsplit(database_url)
    place = parts.netloc.rpartition("@")[2]
    url = urlunsplit(parts._replace(netloc=f"{quote(f'{unique_name}@example.com')}@{place}"))
    unset: dict[str, str | None] = dict.fromkeys(n for n in os.environ if "REGISTRY_" in n)
    command = running(
        monkeypatch,
        {
            **unset,
            **emulator.uris("REGISTRY_STORAGE"),
            "REGISTRY_DATABASE_URL": url,
            "REGISTRY_DATABASE_IDENTITY": "true",
            "REGISTRY_KEY_PEPPER": "pepper-of-at-least-thirty-two-bytes",
        },
    )
    role = sql.Identifier(f"{unique_name}@example.com")
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER").format(role))
        container = uploads.container.container_name
        giver.refuses = True
        refused(command("backfill", container), 6, "identity gets no token for the database")
        giver.refuses = False
        giver.tell = lambda token: owner.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(token))
        )
        assert command("migrate").exit_code == 0
        told = command("backfill", container, "-o", "json")
        assert told.exit_code == 0, told.stderr
        found = owner.execute("SELECT blob_path FROM registry.artifact_records").fetchall()
        owner.execute(sql.SQL("DROP ROLE {}").format(role))
    assert found == [("a",)]


def test_build_servers_move_bytes_with_their_tokens(
    giver: TokenGiver,
    emulator: TokenAzurite,
    uploads: Uploads,
    server: Terminal,
    build_id: str,
    image: Path,
    tmp_path: Path,
) -> None:
    container = uploads.container.container_name
    address = f"https://127.0.0.1:{emulator.ports[0]}/{ACCOUNT}/{container}"
    known = server.having(BLDST_UPLOAD_URL=address)
    upload = ("artifact", "upload", build_id, str(image), "--state", "10")
    told = known.read(*upload)
    assert uploads.container.download_blob(told["storage_key"]).readall() == IMAGE
    fetched = tmp_path / "fetched"
    done = known.run("artifact", "download", build_id, told["id"], str(fetched))
    assert done.exit_code == 0, done.stderr
    assert fetched.read_bytes() == IMAGE

    before = len(giver.given)
    for elsewhere in ("https://storage.example/container", address.replace("https", "http")):
        stranger = server.having(BLDST_UPLOAD_URL=elsewhere)
        refused(stranger.run(*upload), 2, "BLDST_UPLOAD_URL")
    assert len(giver.given) == before
    giver.refuses = True
    refused(known.run(*upload, "--overwrite"), 4, "nobody is signed in")
