"""`bldst artifact upload`: one reading of a file, a blob, an artifact that says what it is."""

import hashlib
import os
import re
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
    path = told["storage_key"]
    assert re.fullmatch(rf"rhel-9/{build}/state-10/[0-9a-f]{{12}}/base image\.qcow2", path)
    account = f"http://127.0.0.1:{azurite.ports[0]}/{azurite.account}"
    assert told["artifact_path"] == f"{account}/{container}/{path.replace(' ', '%20')}"
    assert (told["storage_backend"], told["storage_bucket"]) == ("azure_blob", container)
    assert told["artifact_name"] == image.name
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
    assert re.fullmatch(rf"{build_id}/state-10/[0-9a-f]{{12}}/disk", told["storage_key"])
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


def test_a_revision_leaves_the_bytes_of_the_one_before(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    first = upload(terminal, build_id, image)
    image.write_bytes(b"another")
    command = ("artifact", "upload", build_id, str(image), "--state", "10")
    refused(terminal.run(*command), 5, "--overwrite", first["artifact_name"])
    assert list(uploads.container.list_blob_names()) == [first["storage_key"]]
    second = terminal.read(*command, "--overwrite")
    assert second["revision"] == first["revision"] + 1
    assert uploads.container.download_blob(second["storage_key"]).readall() == b"another"
    assert uploads.container.download_blob(first["storage_key"]).readall() == CONTENT


def test_a_path_of_ones_own_is_overwritten_only_if_that_is_meant(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    first = upload(terminal, build_id, image, "--key", "mine", "--name", "first")
    image.write_bytes(b"another")
    command = ("artifact", "upload", build_id, str(image), "--state", "10", "--key", "mine")
    refused(terminal.run(*command), 5, "--overwrite", first["artifact_path"])
    assert uploads.container.download_blob("mine").readall() == CONTENT
    assert terminal.read(*command, "--overwrite")["revision"] == 1
    assert uploads.container.download_blob("mine").readall() == b"another"


def test_who_may_only_create_overwrites_nothing(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, image: Path
) -> None:
    # Without a look at what is there: the store itself refuses.
    url = signed_url(azurite, uploads.container.container_name, may="c")
    terminal = server.having(BLDST_UPLOAD_URL=url)
    upload(terminal, build_id, image, "--key", "mine")
    command = ("artifact", "upload", build_id, str(image), "--state", "10", "--key", "mine")
    image.write_bytes(b"another")
    for more in (("--name", "again"), ("--overwrite",)):
        refused(terminal.run(*command, *more), 4, "BLDST_UPLOAD_URL")
    assert len(server.read("artifact", "list", build_id)) == 1
    assert uploads.container.download_blob("mine").readall() == CONTENT


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_what_is_stored_and_not_registered_is_told(
    server: Terminal,
    reader_key: str,
    build_id: str,
    azurite: Azurite,
    uploads: Uploads,
    image: Path,
    more: tuple[str, ...],
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    first = upload(terminal, build_id, image)
    image.write_bytes(b"another")
    reader = terminal.having(BLDST_API_KEY=reader_key)
    name = () if more else ("--name", "again")
    result = reader.run(
        *("artifact", "upload", build_id, str(image), "--state", "10"), *name, *more
    )
    assert (result.exit_code, result.stdout) == (4, "")
    (stored,) = set(uploads.container.list_blob_names()) - {first["storage_key"]}
    lines = result.stderr.splitlines()
    assert lines[0].endswith(stored.replace(" ", "%20"))
    assert "uploaded already" in lines[0]
    assert f"7 bytes, sha256:{hashlib.sha256(b'another').hexdigest()}" in lines[1]
    assert lines[2].startswith("error: ")
    assert uploads.container.download_blob(first["storage_key"]).readall() == CONTENT


@pytest.mark.parametrize(
    "wrong", [("--name", ""), ("--name", "a\nb"), ("--type", ""), ("--type", "x" * 300)]
)
def test_what_would_not_be_taken_is_not_sent(
    server: Terminal,
    build_id: str,
    azurite: Azurite,
    uploads: Uploads,
    image: Path,
    wrong: tuple[str, ...],
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    command = ("artifact", "upload", build_id, str(image), "--state", "10")
    refused(terminal.run(*command, *wrong), 2, f"artifact_{wrong[0].removeprefix('--')}")
    assert list(uploads.container.list_blob_names()) == []


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
        (signed.replace("sig=", "sig=x"), 4, "credentials"),
        (signed_url(azurite, unique_name, may="r"), 4, "BLDST_UPLOAD_URL"),
        (signed.replace(azurite.account, "b"), 2, "BLDST_UPLOAD_URL"),
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
    for broken in (
        "AccountKey=secret",
        "AccountName=a b;AccountKey=c2VjcmV0",
        azurite.connection_string.replace("AccountKey=", "AccountKey=abc"),
    ):
        told = keyed.having(AZURE_STORAGE_CONNECTION_STRING=broken).run(*command)
        refused(told, 2, "AZURE_STORAGE_CONNECTION_STRING", "cannot be read")
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
