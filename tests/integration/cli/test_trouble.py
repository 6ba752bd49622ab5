"""What a command does where the registry is away, is none, or where nobody reads on."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest

from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal, refused, signal_where_it_waits
from tests.integration.registering import create

LIST = ("artifacts", "list", "-o", "json")
RUN = ("policies", "run", "delete-old", "--yes")
COMMAND = Path(sys.executable).with_name("registry")
PROBLEM = b'{"type": "urn:artifact-registry:problem:x", "title": "Away", "detail": "now"}'


@contextmanager
def answering(*answers: tuple[int, dict[str, str], bytes]) -> Generator[tuple[str, list[str]]]:
    """A server that gives these answers in turn, the last one for ever; tells what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_DELETE(self) -> None:
            """The deed is done, and nobody hears of it."""
            asked.append(self.path)
            self.close_connection = True

        def do_POST(self) -> None:
            self.do_DELETE()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)  # a test that fails leaves it
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def at(url: str, tmp_path: Path) -> Terminal:
    return Terminal(
        {"REGISTRY_API_URL": url, "REGISTRY_API_KEY": "ark_x", "XDG_CONFIG_HOME": str(tmp_path)}
    )


def test_what_passes_is_asked_again(tmp_path: Path) -> None:
    away = (503, {"Retry-After": "0"}, PROBLEM)
    with answering(away, away, (200, {}, b'{"artifacts": [], "next": null}')) as (url, asked):
        assert at(url, tmp_path).run(*LIST).stdout == "[]\n"
    assert len(asked) == 3


def test_what_does_not_pass_is_exit_code_6(tmp_path: Path) -> None:
    with answering((503, {"Retry-After": "0"}, PROBLEM)) as (url, asked):
        refused(at(url, tmp_path).run(*LIST), 6, "Away: now")
    assert len(asked) == 4


def test_a_change_of_one_state_is_not_repeated_where_its_answer_is_lost(tmp_path: Path) -> None:
    # Asked again, a change that was made would be told as a conflict, with itself.
    command = ("artifacts", "delete", str(UUID(int=7)), "--yes")
    with answering((200, {}, b"{}")) as (url, asked):
        refused(at(url, tmp_path).run(*command, "--if-match", '"state"'), 6)
        assert len(asked) == 1
        refused(at(url, tmp_path).run(*command), 6)
        assert len(asked) == 1 + 4


def test_a_run_is_not_begun_again_where_its_answer_is_lost(tmp_path: Path) -> None:
    # The other run would find nothing left to do, or be skipped for the one that nobody heard of.
    with answering((200, {}, b"{}")) as (url, asked):
        refused(at(url, tmp_path).run("policies", "run", "cool-old", "--yes"), 6)
    assert len(asked) == 1


def test_nobody_there_is_exit_code_6(tmp_path: Path) -> None:
    refused(at("http://127.0.0.1:1", tmp_path).run(*LIST), 6, "cannot be reached")


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with (
        answering((200, {}, b'{"artifacts": [], "next": null}')) as (elsewhere, asked),
        answering((307, {"Location": elsewhere}, b"")) as (url, _),
    ):
        refused(at(url, tmp_path).run(*LIST), 1, "redirect")
    assert asked == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (404, b"<html>"), (200, b'{"artifacts": 1}'), (500, b""), (200, b"[]")],
)
def test_what_is_no_registry_is_told_in_one_line(tmp_path: Path, status: int, body: bytes) -> None:
    with answering((status, {}, body)) as (url, _):
        result = at(url, tmp_path).run("artifacts", "list")
    refused(result, 1)


def test_pages_that_lead_nowhere_end(tmp_path: Path) -> None:
    with answering((200, {}, b'{"artifacts": [], "next": "same"}')) as (url, asked):
        assert at(url, tmp_path).run("artifacts", "list", "--all").exit_code == 1
    assert len(asked) == 2


def test_a_problem_cannot_move_the_terminal(tmp_path: Path) -> None:
    hostile = b'{"type": "x", "title": "a\\u001b[2J", "detail": "b\\nerror: c\\u009b1m"}'
    with answering((409, {}, hostile)) as (url, _):
        result = at(url, tmp_path).run(*LIST)
    refused(result, 5, "a\\u001b[2J")
    assert result.stderr.removesuffix("\n").isprintable()


def test_a_reader_who_leaves_early_is_no_fault(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    create(artifacts, "a", data="x" * 900_000)
    process = subprocess.Popen(
        [COMMAND, *LIST], env=terminal.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.read(1) == b"["
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("command", "word"),
    [
        (LIST, ""),
        (RUN, "the run may go on: registry policies runs delete-old\n"),
        pytest.param((*RUN, "--dry-run"), "", marks=pytest.mark.long),
    ],
)
def test_an_interrupted_command_ends_with_130(
    tmp_path: Path, command: tuple[str, ...], word: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [COMMAND, *command],
            env=at(url, tmp_path).environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        asked, _ = listener.accept()
        with asked:
            asked.recv(1)
            signal_where_it_waits(process, signal.SIGINT)
            written, told = process.communicate()
    assert (process.returncode, written, told) == (130, "", word)


def test_the_shell_completes_the_command_registry(tmp_path: Path) -> None:
    asked = {"_REGISTRY_COMPLETE": "complete_bash", "COMP_WORDS": "registry art", "COMP_CWORD": "1"}
    told = subprocess.run(
        [COMMAND], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "artifacts"
