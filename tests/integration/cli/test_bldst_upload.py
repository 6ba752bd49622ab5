"""`bldst artifact upload`: one reading of a file, a blob, an artifact that says what it is."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devhost.stack.azurite import Azurite
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.cli.storing import signed_url, with_key, with_signature
from tests.integration.cli.test_trouble import answering
from tests.integration.uploads import Uploads

CONTENT = b"a base image" * 1000
LARGE = 17 * 1024 * 1024 + 5
"""More than two blocks."""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "base image.qcow2"
    path.write_bytes(CONTENT)
    return path


def upload(server: Terminal, build_id: str, image: Path, *more: str) -> Any:
    return server.read("artifact", "upload", build_id, str(image), "--state", "10", *more)


@pytest.mark.parametrize("having", [with_key, with_signature])
def test_a_file_is_stored_and_registered_as_what_it_is(
    server: Terminal,
    azurite: Azurite,
    uploads: Uploads,
    image: Path,
    having: Callable[[Terminal, Azurite, str], Terminal],
) -> None:
    container = uploads.container.container_name
    build = server.read("build", "create", "1", "--project", "rhel-9")["id"]
    told = upload(having(server, azurite, container), build, image)
    path = f"rhel-9/{build}/state-10/base image.qcow2"
    account = f"http://127.0.0.1:{azurite.ports[0]}/{azurite.account}"
    assert told["artifact_path"] == f"{account}/{container}/{path.replace(' ', '%20')}"
    assert (told["storage_backend"], told["storage_bucket"]) == ("azure_blob", container)
    assert (told["storage_key"], told["artifact_name"]) == (path, image.name)
    assert (told["size_bytes"], told["checksum_algorithm"]) == (len(CONTENT), "sha256")
    assert told["checksum"] == hashlib.sha256(CONTENT).hexdigest()
    assert uploads.container.download_blob(path).readall() == CONTENT


@pytest.mark.parametrize("size", [0, LARGE])
def test_of_any_size_what_is_stored_is_what_was_hashed(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    file = tmp_path / "disk"
    file.write_bytes(content)
    told = upload(with_key(server, azurite, uploads.container.container_name), build_id, file)
    assert (told["size_bytes"], told["checksum"]) == (size, hashlib.sha256(content).hexdigest())
    assert told["storage_key"] == f"{build_id}/state-10/disk"
    assert uploads.container.download_blob(told["storage_key"]).readall() == content


def test_what_is_said_of_it_is_registered(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    told = upload(
        with_key(server, azurite, "elsewhere"),
        build_id,
        image,
        *("--container", uploads.container.container_name, "--key", "my/key", "--name", "base"),
        *(
            "--type",
            "vm_snapshot",
            "--no-resumable",
            "--final",
            "--metadata",
            '{"format": "qcow2"}',
        ),
    )
    assert (told["artifact_name"], told["artifact_type"]) == ("base", "vm_snapshot")
    assert (told["is_resumable"], told["is_final"]) == (False, True)
    assert (told["metadata"], told["storage_key"]) == ({"format": "qcow2"}, "my/key")


def test_nothing_is_overwritten_that_nobody_meant(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    first = upload(terminal, build_id, image)
    image.write_bytes(b"another")
    command = ("artifact", "upload", build_id, str(image), "--state", "10")
    refused(terminal.run(*command), 5, "--overwrite", first["artifact_path"])
    assert uploads.container.download_blob(first["storage_key"]).readall() == CONTENT
    second = terminal.read(*command, "--overwrite")
    assert second["revision"] == first["revision"] + 1
    assert uploads.container.download_blob(first["storage_key"]).readall() == b"another"


def test_who_may_only_create_overwrites_nothing(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    # Without a look at what is there: the store itself refuses.
    url = signed_url(azurite, uploads.container.container_name, may="c")
    terminal = server.having(BLDST_UPLOAD_URL=url)
    upload(terminal, build_id, image)
    again = terminal.run("artifact", "upload", build_id, str(image), "--state", "10")
    assert again.exit_code in {5, 6}
    assert len(server.read("artifact", "list", build_id)) == 1


def test_what_is_stored_and_not_registered_is_told(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    upload(terminal, build_id, image)
    result = terminal.run(
        *("artifact", "upload", build_id, str(image), "--state", "10", "--key", "again")
    )
    assert (result.exit_code, result.stdout) == (5, "")
    lines = result.stderr.splitlines()
    assert lines[0].endswith(f"/{uploads.container.container_name}/again")
    assert "uploaded already" in lines[0]
    assert f"{len(CONTENT)} bytes, sha256:{hashlib.sha256(CONTENT).hexdigest()}" in lines[1]
    assert lines[2].startswith("error: ")
    assert uploads.container.get_blob_client("again").exists()


def test_a_build_that_is_none_gets_no_blob(
    server: Terminal, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    unknown = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90"
    refused(terminal.run("artifact", "upload", unknown, str(image), "--state", "10"), 3)
    assert list(uploads.container.list_blob_names()) == []


def test_a_credential_is_never_told(
    server: Terminal, build_id: str, azurite: Azurite, unique_name: str, image: Path
) -> None:
    signed = signed_url(azurite, unique_name)
    signature = signed.partition("?")[2]
    away = signed.replace(f":{azurite.ports[0]}/", ":1/")
    command = ("artifact", "upload", build_id, str(image), "--state", "10")
    for url, code, word in (
        (signed, 3, unique_name),
        (signed.replace("sig=", "sig=x"), 6, "credentials"),
        (away, 6, "cannot be reached"),
        (signed.replace("http://127.0.0.1", "http://storage.example"), 2, "http://"),
        (signed.partition("?")[0], 2, "BLDST_UPLOAD_URL"),
        (f"https://?{signature}", 2, "BLDST_UPLOAD_URL"),
    ):
        result = server.having(BLDST_UPLOAD_URL=url).run(*command)
        refused(result, code, word)
        assert "sig=" not in result.stderr


def test_what_is_missing_or_unclear_is_refused_before_anything_is_sent(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    command = ("artifact", "upload", build_id, str(image), "--state", "10")
    refused(server.run(*command), 2, "AZURE_STORAGE_CONNECTION_STRING", "BLDST_UPLOAD_URL")
    container = uploads.container.container_name
    keyed = with_key(server, azurite, container)
    refused(keyed.without("BLDST_CONTAINER").run(*command), 2, "--container")
    refused(keyed.having(BLDST_UPLOAD_URL="https://a.example/b?c").run(*command), 2, "only one")
    broken = keyed.having(AZURE_STORAGE_CONNECTION_STRING="AccountKey=secret")
    refused(broken.run(*command), 2, "cannot be read")
    signed = with_signature(server, azurite, container)
    refused(signed.run(*command, "--container", "other"), 2, container)
    refused(keyed.run(*command[:3], "/nowhere", *command[4:]), 2, "/nowhere")
    refused(keyed.run(*command[:3], "/dev/null", *command[4:]), 2, "no regular file")
    refused(keyed.run(*command, "--key", "a/../b"), 1)
    assert list(uploads.container.list_blob_names()) == []


def test_a_project_cannot_lead_elsewhere(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    hostile = b'{"id": "x", "project": "a/../b"}'
    terminal = with_key(server, azurite, uploads.container.container_name)
    with answering((200, {}, hostile)) as (url, _):
        away = terminal.having(BLDST_API_URL=url)
        refused(away.run("artifact", "upload", build_id, str(image), "--state", "1"), 2, "--key")
    assert list(uploads.container.list_blob_names()) == []
