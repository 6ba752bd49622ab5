"""Bytes on their way: what a terminal shows of them, and what is left where they are cut off."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from devhost.stack.azurite import Azurite
from tests.integration.cli.conftest import Terminal, refused, signal_where_it_waits
from tests.integration.cli.storing import with_key
from tests.integration.cli.test_bldst_download import left, register
from tests.integration.uploads import Uploads

COMMAND = Path(sys.executable).with_name("bldst")
_UNIGNORED = """
import os, signal, sys
for ended_by in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(ended_by, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
AS_IN_A_TERMINAL = (sys.executable, "-c", _UNIGNORED)
"""Whoever runs the tests in the background has some signals ignored, and the command would, too."""
HALF = b"x" * 2 * 1024 * 1024
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(HALF) * 2}\r\n\r\n".encode()
PATIENCE = 30.0

pytestmark = pytest.mark.usefixtures("interruptible")


class HalfOfIt:
    """A server whose answers stop in the middle; they end when it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/image"
        self._asked: list[socket.socket] = []
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        asked, _ = self._listener.accept()
        self._asked.append(asked)
        asked.recv(65536)
        asked.sendall(HEAD + HALF)

    def close(self) -> None:
        self._thread.join()
        for asked in (*self._asked, self._listener):
            asked.close()


def test_an_answer_that_is_cut_off_leaves_nothing(
    server: Terminal, build_id: str, tmp_path: Path
) -> None:
    half = HalfOfIt()
    made = register(server, build_id, half.url, "--checksum", "0" * 64)
    ending = Thread(target=half.close)
    ending.start()
    target = tmp_path / "target" / "image"
    target.parent.mkdir()
    result = server.run("artifact", "download", build_id, made, str(target))
    ending.join()
    refused(result, 6, "cannot be fetched")
    assert left(target.parent) == []


@pytest.mark.parametrize(
    ("ended_by", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.long),
        pytest.param(signal.SIGQUIT, 131, marks=pytest.mark.long),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_a_download_that_is_ended_never_has_its_name(
    server: Terminal, build_id: str, tmp_path: Path, ended_by: signal.Signals, code: int
) -> None:
    half = HalfOfIt()
    made = register(server, build_id, half.url, "--checksum", "0" * 64)
    target = tmp_path / "target" / "image"
    target.parent.mkdir()
    process = subprocess.Popen(
        [*AS_IN_A_TERMINAL, COMMAND, "artifact", "download", build_id, made, target],
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + PATIENCE
    while not any(part.stat().st_size for part in target.parent.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    signal_where_it_waits(process, ended_by)
    assert process.communicate()[0] == b""
    half.close()
    assert process.returncode == code
    assert not target.exists()
    if ended_by is not signal.SIGKILL:
        assert left(target.parent) == []


def test_a_terminal_sees_how_far_it_is_and_stdout_holds_the_result_alone(
    server: Terminal, build_id: str, azurite: Azurite, uploads: Uploads, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    image.write_bytes(HALF)
    terminal = with_key(server, azurite, uploads.container.container_name)
    shown, line = os.openpty()
    done = subprocess.run(
        [COMMAND, "-o", "json", "artifact", "upload", build_id, image, "--state", "10"],
        env={**terminal.environment, "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=line,
        check=True,
    )
    os.close(line)
    told = os.read(shown, 65536).decode()
    os.close(shown)
    assert json.loads(done.stdout)["size_bytes"] == len(HALF)
    assert ("Uploading" in told, "2.0/2.0 MiB" in told) == (True, True)
