"""`make run`, `make reset` and `make demo` behave as the README promises."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from devhost.stack.directory import StackDescription
from devhost.stack.ports import LOOPBACK
from devhost.stack.processes import has_ended
from tests.end_to_end.running_stack import (
    PROJECT,
    RunningStack,
    plain_environment,
    status_of_a_missing_artifact,
)


@pytest.fixture
def stack(session_directory: Path) -> Iterator[RunningStack]:
    with tempfile.TemporaryDirectory(prefix="stack-", dir=session_directory) as directory:
        stack = RunningStack(Path(directory) / "local")
        yield stack
        stack.close()


def test_a_stack_serves_stops_on_ctrl_c_and_keeps_its_data(stack: RunningStack) -> None:
    described = stack.start()
    assert stack.directory.description.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(stack.directory.description.read_text())) == {
        *("api_url", "admin_key", "read_key", "write_key", "storage_connection_string"),
        *("container", "database_url", "pid"),
    }
    assert status_of_a_missing_artifact(described, described.read_key) == HTTPStatus.NOT_FOUND
    demo = run_demo(stack)
    assert demo.returncode == 0, demo.stderr
    assert "Chain of demo/elevation.tif" in demo.stdout

    assert stack.end(signal.SIGINT) == 0
    assert stack.processes() == []
    assert not stack.directory.description.exists()

    again = stack.start()
    assert again.admin_key == described.admin_key
    assert status_of_a_missing_artifact(again, again.read_key) == HTTPStatus.NOT_FOUND
    apply_rule(again)
    repeated = run_demo(stack)
    assert repeated.returncode == 0, repeated.stderr
    assert "│ 4 " in repeated.stdout
    assert "demo/second.tif" in repeated.stdout


@pytest.mark.long
def test_a_stack_that_was_killed_starts_again_and_leaves_nothing_of_the_old_one(
    stack: RunningStack,
) -> None:
    stack.start()
    stack.end(signal.SIGKILL)
    left = stack.processes()
    assert left, "the kill was meant to leave something behind"
    stack.start()
    assert all(map(has_ended, left))
    assert stack.end(signal.SIGTERM) == 0
    assert stack.processes() == []


@pytest.mark.long
def test_a_second_start_and_a_reset_are_refused_in_one_line_while_a_stack_runs(
    stack: RunningStack,
) -> None:
    described = stack.start()
    for command in ("run", "reset"):
        refused = stack.run(command)
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert f"kill {described.pid}" in refused.stderr
    stack.end(signal.SIGTERM)
    assert stack.run("reset").returncode == 0
    assert not stack.directory.root.exists()


def test_a_taken_port_is_answered_with_one_line_that_names_a_free_one(
    stack: RunningStack,
) -> None:
    with socket.create_server((LOOPBACK, stack.port)):
        refused = subprocess.run(
            stack.command(),
            cwd=PROJECT,
            env=plain_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert f"Port {stack.port} is taken" in refused.stderr
    assert "make run PORT=" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert stack.processes() == []


@pytest.mark.long
def test_a_stop_during_the_start_leaves_nothing_running(stack: RunningStack) -> None:
    process = subprocess.Popen(
        stack.command(), cwd=PROJECT, env=plain_environment(), stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()  # the first step is done, the next ones are not
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert stack.processes() == []


def test_the_demo_says_how_to_start_what_it_needs(stack: RunningStack) -> None:
    refused = run_demo(stack)
    assert refused.returncode == 1
    assert refused.stderr == (
        "The registry is not running: start it with `make run` in a terminal.\n"
    )


def apply_rule(described: StackDescription) -> None:
    """Have one of the demo's blobs be another asset than by default, as an operator may."""
    rule = {"name": "second", "container": described.container, "path": "demo/second.tif"}
    asset = {"client_type": "demo", "client_refs": {"name": "second"}}
    answer = httpx.put(
        f"{described.api_url}/api/admin/rules/second",
        json=rule | asset,
        headers={"X-API-Key": described.admin_key},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text


def run_demo(stack: RunningStack) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devhost.demo", "--directory", str(stack.directory.root)],
        cwd=PROJECT,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
