"""`bldst artifact download`: a file has its name only once it is what was registered."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from devhost.stack.azurite import Azurite
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.cli.storing import with_key, with_signature
from tests.integration.cli.test_trouble import answering
from tests.integration.uploads import Uploads

CONTENT = b"a base image" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


def register(server: Terminal, build_id: str, path: str, *more: str) -> str:
    """An artifact that is said to be stored at a path."""
    what = ("--name", "base", "--type", "ami", "--state", "10", "--backend", "any", "--path", path)
    return str(server.read("artifact", "create", build_id, *what, *more)["id"])


def stored(tmp_path: Path, content: bytes = CONTENT) -> Path:
    path = tmp_path / "shared disk" / "base.qcow2"
    path.parent.mkdir()
    path.write_bytes(content)
    return path


def left(folder: Path) -> list[str]:
    """Also what is hidden."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, where commands are typed."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("having", [with_key, with_signature])
def test_what_was_uploaded_comes_back(
    server: Terminal,
    build_id: str,
    azurite: Azurite,
    uploads: Uploads,
    here: Path,
    having: Callable[[Terminal, Azurite, str], Terminal],
) -> None:
    terminal = having(server, azurite, uploads.container.container_name)
    content = os.urandom(9 * 1024 * 1024 + 1)
    image = here.parent / "base image.qcow2"
    image.write_bytes(content)
    made = terminal.read("artifact", "upload", build_id, str(image), "--state", "10")
    told = terminal.read("artifact", "download", build_id, made["id"])
    assert told == {
        "file": "base image.qcow2",
        "size_bytes": len(content),
        "checksum": f"sha256:{made['checksum']}",
        "verified": True,
    }
    assert left(here) == ["base image.qcow2"]
    assert (here / "base image.qcow2").read_bytes() == content


def test_a_flipped_byte_is_caught_and_leaves_nothing(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, here: Path
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    image = here.parent / "image"
    image.write_bytes(CONTENT)
    made = terminal.read("artifact", "upload", build_id, str(image), "--state", "10")
    flipped = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    uploads.put(made["storage_key"], flipped)
    result = terminal.run("artifact", "download", build_id, made["id"], "image")
    refused(result, 1, "checksum mismatch", SHA, hashlib.sha256(flipped).hexdigest())
    assert left(here) == []


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b""])
def test_another_size_is_caught(
    server: Terminal, build_id: str, here: Path, content: bytes
) -> None:
    path = str(stored(here.parent, content))
    made = register(server, build_id, path, "--size", str(len(CONTENT)), "--checksum", SHA)
    refused(server.run("artifact", "download", build_id, made), 1, str(len(CONTENT)))
    assert left(here) == []


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
def test_a_file_is_verified_by_the_algorithm_that_was_registered(
    server: Terminal, build_id: str, here: Path, algorithm: str
) -> None:
    digits = hashlib.new(algorithm, CONTENT).hexdigest()
    path = stored(here.parent)
    made = register(
        *(server, build_id, path.as_uri(), "--checksum", digits.upper()),
        *("--checksum-algorithm", algorithm),
    )
    told = server.read("artifact", "download", build_id, made, "image")
    assert told["checksum"] == f"{algorithm}:{digits}"
    assert (here / "image").read_bytes() == CONTENT
    path.write_bytes(b"other")
    refused(server.run("artifact", "download", build_id, made, "other"), 1, "checksum mismatch")
    assert left(here) == ["image"]


def test_what_cannot_be_verified_is_fetched_only_if_that_is_meant(
    server: Terminal, build_id: str, here: Path
) -> None:
    made = register(server, build_id, str(stored(here.parent)))
    command = ("artifact", "download", build_id, made)
    refused(server.run(*command), 2, "--unverified")
    assert left(here) == []
    assert server.read(*command, "--unverified")["verified"] is False
    assert (here / "base.qcow2").read_bytes() == CONTENT


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(
    server: Terminal, build_id: str, here: Path
) -> None:
    path = stored(here.parent)
    made = register(server, build_id, str(path), "--checksum", SHA)
    mine = here / "base.qcow2"
    mine.write_bytes(b"mine")
    command = ("artifact", "download", build_id, made)
    refused(server.run(*command), 2, "--overwrite")
    path.write_bytes(b"other")
    refused(server.run(*command, "--overwrite"), 1, "checksum mismatch")
    assert mine.read_bytes() == b"mine"
    path.write_bytes(CONTENT)
    refused(server.run(*command, str(mine / "below")), 1, "cannot be written")
    assert server.run(*command, "--overwrite").exit_code == 0
    assert mine.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "stored_as", ["s3://b/k", "rbd:pool/a", "nfs://s/e/a", "builds/a", "file://s/a"]
)
def test_what_others_fetch_is_refused_by_its_path(
    server: Terminal, build_id: str, here: Path, stored_as: str
) -> None:
    made = register(server, build_id, stored_as, "--checksum", SHA)
    refused(server.run("artifact", "download", build_id, made, "a"), 2, stored_as)
    assert left(here) == []


@pytest.mark.parametrize("stored_as", ["/a/..", "/a/", "file:///a/%2e%2e", "s3://b/a%0ab"])
def test_a_path_without_a_name_of_a_file_asks_for_one(
    server: Terminal, build_id: str, here: Path, stored_as: str
) -> None:
    made = register(server, build_id, stored_as, "--checksum", SHA)
    refused(server.run("artifact", "download", build_id, made), 2, "say FILE")
    assert left(here) == []


def test_from_the_web_without_a_credential(server: Terminal, build_id: str, here: Path) -> None:
    with answering((200, {}, CONTENT)) as (url, asked):
        made = register(server, build_id, f"{url}/a/base.qcow2", "--checksum", SHA)
        assert server.read("artifact", "download", build_id, made)["verified"] is True
    assert asked == ["/a/base.qcow2"]
    assert (here / "base.qcow2").read_bytes() == CONTENT
    refused(server.run("artifact", "download", build_id, made, "b"), 6, "cannot be fetched")


@pytest.mark.parametrize(("status", "code"), [(404, 3), (403, 4), (409, 4), (503, 6)])
def test_what_the_web_does_not_give_is_an_exit_code(
    server: Terminal, build_id: str, here: Path, status: int, code: int
) -> None:
    with answering((status, {}, b"no")) as (url, _):
        made = register(server, build_id, f"{url}/a", "--checksum", SHA)
        refused(server.run("artifact", "download", build_id, made), code, f"HTTP {status}")
    assert left(here) == []


def test_nothing_is_fetched_in_clear_text_wherever_a_redirect_leads(
    server: Terminal, build_id: str, here: Path
) -> None:
    clear = register(server, build_id, "http://storage.example/a?sv=1", "--checksum", SHA)
    refused(server.run("artifact", "download", build_id, clear), 2, "http://storage.example/a ")
    with answering((302, {"Location": "http://storage.example/b"}, b"")) as (url, _):
        led = register(server, build_id, f"{url}/a", "--checksum", SHA, "--overwrite")
        refused(server.run("artifact", "download", build_id, led), 2, "http://storage.example/b")
    assert left(here) == []


def test_a_blob_that_is_gone_is_not_found(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, here: Path
) -> None:
    terminal = with_key(server, azurite, uploads.container.container_name)
    url = uploads.container.get_blob_client("none").url
    made = register(server, build_id, url, "--checksum", SHA)
    refused(terminal.run("artifact", "download", build_id, made), 3, "none")
    refused(server.run("artifact", "download", build_id, made), 4, "without a credential")
    assert left(here) == []
