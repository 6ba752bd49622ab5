"""Starting, running and stopping the dev host as a program."""

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from devhost.host.invoke import TIMEOUT_EXIT_CODE
from devhost.host.server import HostOptions, bind
from devhost.stack.azurite import Azurite
from tests.devhost.apps import (
    START_SECONDS,
    STOP_SECONDS,
    RunningHost,
    copy_sample,
    running_host,
    write_app,
)

HELLO = "@app.route('hello')\ndef hello(req: func.HttpRequest) -> str: return 'hello'\n"
STUCK = """
import threading
@app.route("stuck")
def stuck(req: func.HttpRequest) -> str:
    print("stuck now")
    threading.Event().wait()
    return "never"
"""


def _get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=60)


def _fails_in_one_line(host: RunningHost) -> str:
    assert host.process.wait(START_SECONDS) == 1
    (line,) = host.output.splitlines()
    return line


def test_every_function_is_told_in_one_line_before_the_host_is_ready(tmp_path: Path) -> None:
    code = HELLO + "@app.timer_trigger(arg_name='t', schedule='0 0 3 * * *')\ndef tick(t): ...\n"
    app = write_app(tmp_path / "app", code)
    storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    with running_host(app, environment=storage) as host:
        told = host.wait_for(r"devhost: ready on .*\n").string.splitlines()
        assert [line for line in told if line.startswith("devhost: ")] == [
            f"devhost: hello: any method {host.url}/api/hello",
            "devhost: tick: timer 0 0 3 * * *",
            f"devhost: ready on {host.url}",
        ]
        assert _get(f"{host.url}/api/hello").text == "hello"


def test_a_route_prefix_may_be_empty(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", HELLO, {"extensions": {"http": {"routePrefix": ""}}})
    with running_host(app) as host:
        assert _get(f"{host.url}/hello").text == "hello"
        assert _get(f"{host.url}/api/hello").status_code == 404


def test_even_a_route_for_everything_does_not_get_the_host_s_own_paths(tmp_path: Path) -> None:
    code = "@app.route('{*rest}')\ndef all(req: func.HttpRequest) -> str: return 'all'\n"
    app = write_app(tmp_path / "app", code, {"extensions": {"http": {"routePrefix": ""}}})
    with running_host(app) as host:
        assert _get(f"{host.url}/").text == "all"
        assert _get(f"{host.url}/administrators").text == "all"
        for path in ("admin", "admin/host/status", "Runtime/webhooks/x"):
            assert _get(f"{host.url}/{path}").status_code == 404


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
def test_a_signal_stops_the_host_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with running_host(write_app(tmp_path / "app", HELLO)) as host:
        host.wait_for("ready on")
        host.process.send_signal(number)
        assert host.process.wait(STOP_SECONDS) == 0
        assert "Traceback" not in host.output


def test_a_function_that_still_runs_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    with running_host(write_app(tmp_path / "app", STUCK)) as host:
        caller = threading.Thread(target=_ignore_hang_up, args=(f"{host.url}/api/stuck",))
        caller.start()
        host.wait_for("stuck now")
        assert host.stop() == 0
        caller.join()


def test_a_message_in_work_does_not_hold_up_a_stop(
    tmp_path: Path, azurite: Azurite, unique_name: str
) -> None:
    code = f"""
import threading
@app.queue_trigger("msg", queue_name="{unique_name}", connection="AzureWebJobsStorage")
def stuck(msg: str):
    print("stuck now")
    threading.Event().wait()
"""
    app = write_app(tmp_path / "app", code, {"extensions": {"queues": {"messageEncoding": "none"}}})
    with QueueClient.from_connection_string(azurite.connection_string, unique_name) as queue:
        queue.create_queue()
        queue.send_message("x")
    storage = {"AzureWebJobsStorage": azurite.connection_string}
    with running_host(app, environment=storage) as host:
        host.wait_for("stuck now")
        assert host.stop() == 0


def _ignore_hang_up(url: str) -> None:
    try:
        _get(url)
    except httpx.TransportError:
        return


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_host(write_app(tmp_path / "app", HELLO), port=port) as host:
            line = _fails_in_one_line(host)
    assert line == f"devhost: cannot listen on 127.0.0.1:{port}: Address already in use"


def test_responses_are_sent_at_once_rather_than_gathered(tmp_path: Path) -> None:
    async def nodelay_of_an_accepted_connection() -> int:
        accepted = asyncio.Event()
        options: list[int] = []

        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            options.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
            accepted.set()

        server = await asyncio.start_server(accept, sock=bind(HostOptions(tmp_path, 0)))
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await accepted.wait()
            writer.close()
        return options[0]

    assert asyncio.run(nodelay_of_an_accepted_connection())


def test_an_app_that_cannot_be_indexed_is_told_in_one_line(tmp_path: Path) -> None:
    with running_host(write_app(tmp_path / "app", "import not_there\n")) as host:
        line = _fails_in_one_line(host)
    assert line == (
        "devhost: function_app.py line 3: ModuleNotFoundError: No module named 'not_there'"
    )


@pytest.mark.long
def test_a_missing_host_json_is_told_in_one_line(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", HELLO)
    (app / "host.json").unlink()
    with running_host(app) as host:
        assert _fails_in_one_line(host).startswith("devhost: host.json: ")


def test_settings_of_the_app_s_folder_yield_to_the_environment(tmp_path: Path) -> None:
    app = copy_sample(tmp_path / "app", {"SAMPLE_A": "file", "SAMPLE_B": "file"})
    with running_host(app, environment={"SAMPLE_B": "environment"}) as host:
        assert _get(f"{host.url}/api/setting/SAMPLE_A").text == "file"
        assert _get(f"{host.url}/api/setting/SAMPLE_B").text == "environment"


@pytest.mark.long
def test_another_settings_file_replaces_that_of_the_folder(tmp_path: Path) -> None:
    app = copy_sample(tmp_path / "app", {"SAMPLE_A": "folder"})
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"Values": {"SAMPLE_B": "other"}}))
    with running_host(app, "--settings", str(other)) as host:
        assert _get(f"{host.url}/api/setting/SAMPLE_A").text == "unset"
        assert _get(f"{host.url}/api/setting/SAMPLE_B").text == "other"


@pytest.mark.long
def test_a_settings_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with running_host(write_app(tmp_path / "app", HELLO), "--settings", "missing.json") as host:
        assert "missing.json" in _fails_in_one_line(host)


def test_a_run_over_the_function_timeout_ends_the_process(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", STUCK, {"functionTimeout": "00:00:01"})
    with running_host(app) as host:
        _ignore_hang_up(f"{host.url}/api/stuck")
        assert host.process.wait(STOP_SECONDS) == TIMEOUT_EXIT_CODE
        assert "stuck ran longer than functionTimeout, 0:00:01" in host.output


def test_without_storage_of_its_own_the_host_still_serves_http(tmp_path: Path) -> None:
    code = HELLO + (
        "@app.blob_trigger(arg_name='b', path='uploads/{name}', connection='Storage')\n"
        "def read(b: func.InputStream): ...\n"
        "@app.timer_trigger(arg_name='t', schedule='0 0 3 * * *')\n"
        "def tick(t: func.TimerRequest): ...\n"
    )
    unset = {"AzureWebJobsStorage": "", "Storage": "UseDevelopmentStorage=true"}
    with running_host(write_app(tmp_path / "app", code), environment=unset) as host:
        assert _get(f"{host.url}/api/hello").text == "hello"
        for name in ("read", "tick"):
            host.wait_for(f"{name} does not run: .*AzureWebJobsStorage")


TRIGGERED = """
import logging

@app.route("send/{word}")
@app.queue_output("out", queue_name="%NAME%", connection="Storage")
def send(req: func.HttpRequest, out: func.Out[str]) -> str:
    out.set(req.route_params["word"])
    return "sent"

@app.queue_trigger("msg", queue_name="%NAME%", connection="Storage")
def receive(msg: func.QueueMessage):
    logging.info("received %s", msg.get_body().decode())

@app.blob_trigger("stream", path="%NAME%/{name}", connection="Storage")
async def read(stream: func.InputStream):
    logging.info("read %s: %s", stream.name, stream.read().decode())

@app.timer_trigger("timer", schedule="* * * * * *")
def tick(timer: func.TimerRequest):
    logging.info("ticked")

@app.queue_trigger("msg", queue_name="q", connection="Unset")
def deaf(msg: func.QueueMessage): ...
"""


@pytest.fixture
def triggered(tmp_path: Path, azurite: Azurite, storage_container: str) -> Iterator[RunningHost]:
    """Queue, blob, timer and HTTP functions on one storage account, with one blob in it."""
    with ContainerClient.from_connection_string(
        azurite.connection_string, storage_container
    ) as container:
        container.upload_blob("a.txt", b"content")
    environment = {
        "AzureWebJobsStorage": azurite.connection_string,
        "Storage": azurite.connection_string,
        "NAME": storage_container,
    }
    app = write_app(tmp_path / "app", TRIGGERED)
    with running_host(app, environment=environment) as host:
        yield host


def test_every_kind_of_trigger_runs_in_one_host(
    triggered: RunningHost, storage_container: str
) -> None:
    assert _get(f"{triggered.url}/api/send/word").text == "sent"
    triggered.wait_for("received word")
    triggered.wait_for("ticked")
    triggered.wait_for(f"read {storage_container}/a.txt: content")
    triggered.wait_for("deaf does not run: The storage connection 'Unset' is not set")
    assert "Request URL" not in triggered.output  # the SDK's log of every request
    assert triggered.stop() == 0
