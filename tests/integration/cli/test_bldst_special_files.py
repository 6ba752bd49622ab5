"""`bldst` and what is no regular file: nothing of it is waited for, and nothing replaces it."""

import os
import stat
from pathlib import Path

import pytest

from devhost.stack.azurite import Azurite
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.cli.storing import with_key
from tests.integration.cli.test_bldst_download import CONTENT, SHA, left, register, stored
from tests.integration.uploads import Uploads


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    return path


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_what_is_no_file_is_never_replaced(
    server: Terminal, build_id: str, tmp_path: Path, pipe: Path, more: tuple[str, ...]
) -> None:
    made = register(server, build_id, str(stored(tmp_path)), "--checksum", SHA)
    result = server.run("artifact", "download", build_id, made, str(pipe), *more)
    refused(result, 2, str(pipe), "no regular file")
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


def test_a_link_is_not_replaced_wherever_it_leads(
    server: Terminal, build_id: str, tmp_path: Path
) -> None:
    made = register(server, build_id, str(stored(tmp_path)), "--checksum", SHA)
    place = tmp_path / "place"
    place.mkdir()
    mine, link = place / "mine", place / "link"
    command = ("artifact", "download", build_id, made, str(link), "--overwrite")
    link.symlink_to(mine)
    refused(server.run(*command), 2, "no regular file")
    mine.write_bytes(b"mine")
    refused(server.run(*command), 2, "no regular file")
    assert (left(place), link.is_symlink(), mine.read_bytes()) == (["link", "mine"], True, b"mine")


def test_a_pipe_is_not_waited_for(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, tmp_path: Path, pipe: Path
) -> None:
    made = register(server, build_id, str(pipe), "--checksum", SHA)
    target = str(tmp_path / "target")
    download = ("artifact", "download", build_id, made, target)
    refused(server.run(*download), 2, str(pipe), "no regular file")
    storing = with_key(server, azurite, uploads.container.container_name)
    upload = ("artifact", "upload", build_id, str(pipe), "--state", "10")
    refused(storing.run(*upload), 2, str(pipe), "no regular file")
    refused(server.run("--config", str(pipe), "build", "list"), 2, str(pipe), "no regular file")
    assert left(tmp_path) == ["pipe"]


@pytest.mark.parametrize("name", ["a%20b?c#d", "x%2Fy"])
def test_a_path_of_this_machine_keeps_its_name(
    server: Terminal, build_id: str, tmp_path: Path, name: str
) -> None:
    source, target = tmp_path / "source" / name, tmp_path / "target"
    for path in (source.parent, target):
        path.mkdir()
    source.write_bytes(CONTENT)
    for number, stored_as in enumerate((str(source), source.as_uri())):
        made = register(server, build_id, stored_as, "--checksum", SHA, *("--overwrite",) * number)
        told = server.read(
            *("artifact", "download", build_id, made, str(target)), *("--overwrite",) * number
        )
        assert told["verified"] is True
    assert left(target)[-1:] == [name]
