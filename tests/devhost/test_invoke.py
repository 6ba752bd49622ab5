"""How the dev host runs functions: inputs, outputs, threads, retries and the timeout."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from devhost.host.host_config import QueuesConfig
from devhost.host.invoke import WorkerInvoker
from devhost.host.model import (
    FunctionSpec,
    InvocationResult,
    ModelBindingData,
    RetryPolicy,
    TriggerInput,
)
from devhost.host.outputs import QueueSender
from devhost.host.storage import StorageConnections
from devhost.host.worker import Worker, default_thread_count, thread_count
from devhost.stack.azurite import Azurite
from tests.devhost.apps import index_code

QUEUE = "@app.queue_trigger(arg_name='m', queue_name='q', connection='S')\n"
TIMER = "@app.timer_trigger(arg_name='t', schedule='0 0 3 * * *')\n"
BLOB = "@app.blob_trigger(arg_name='b', path='uploads/{name}', connection='S')\n"
TICK = TriggerInput("json", '{"IsPastDue": true}')


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(threads=2) as started:
        yield started


@pytest.fixture
def invoker(worker: Worker) -> WorkerInvoker:
    return WorkerInvoker(worker, QueueSender(StorageConnections({}), QueuesConfig()))


def _function(directory: Path, code: str) -> tuple[FunctionSpec, dict[str, Any]]:
    """The only function of an app, and the globals of that app."""
    (function,) = index_code(directory, code).functions
    return function, function.callable.__globals__


def _invoke(
    invoker: WorkerInvoker, function: FunctionSpec, trigger: TriggerInput
) -> InvocationResult:
    return asyncio.run(invoker.invoke(function, trigger))


def test_a_queue_function_gets_a_genuine_message(tmp_path: Path, invoker: WorkerInvoker) -> None:
    code = f"seen = []\n{QUEUE}def work(m: func.QueueMessage): seen.append(m)\n"
    function, app = _function(tmp_path, code)
    inserted = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    metadata = {
        "Id": "overlaid",
        "DequeueCount": 3,
        "InsertionTime": inserted.isoformat(),
        "PopReceipt": "receipt",
    }
    assert _invoke(invoker, function, TriggerInput("string", '{"a": 1}', metadata)).succeeded
    (message,) = app["seen"]
    assert (message.id, message.dequeue_count, message.pop_receipt) == ("overlaid", 3, "receipt")
    assert message.insertion_time == inserted
    assert message.get_json() == {"a": 1}


@pytest.mark.parametrize(
    ("annotation", "kind", "body"), [("str", "string", "x"), ("bytes", "bytes", b"x")]
)
def test_a_plain_argument_gets_the_body_itself(
    tmp_path: Path, invoker: WorkerInvoker, annotation: str, kind: str, body: str | bytes
) -> None:
    function, app = _function(
        tmp_path, f"seen = []\n{QUEUE}def work(m: {annotation}): seen.append(m)\n"
    )
    assert _invoke(invoker, function, TriggerInput(kind, body)).succeeded
    assert app["seen"] == [body]


def test_a_timer_function_learns_that_it_is_past_due(
    tmp_path: Path, invoker: WorkerInvoker
) -> None:
    code = f"seen = []\n{TIMER}def work(t: func.TimerRequest): seen.append(t.past_due)\n"
    function, app = _function(tmp_path, code)
    assert _invoke(invoker, function, TICK).succeeded
    assert app["seen"] == [True]


def test_a_blob_function_gets_a_stream(tmp_path: Path, invoker: WorkerInvoker) -> None:
    code = (
        f"seen = []\n{BLOB}def work(b: func.InputStream):\n"
        "    seen.append((b.name, b.length, b.read()))\n"
    )
    function, app = _function(tmp_path, code)
    metadata = {"BlobTrigger": "uploads/a.tif", "Properties": {"ContentLength": 3}}
    assert _invoke(invoker, function, TriggerInput("bytes", b"abc", metadata)).succeeded
    assert app["seen"] == [("uploads/a.tif", 3, b"abc")]


def test_a_blob_function_may_get_a_client_instead(
    tmp_path: Path, invoker: WorkerInvoker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S", "AccountName=acc;AccountKey=a2V5;EndpointSuffix=example.test")
    code = (
        "import azurefunctions.extensions.bindings.blob as blob\n"
        f"seen = []\n{BLOB}def work(b: blob.BlobClient):\n"
        "    seen.append((type(b).__module__, b.container_name, b.blob_name))\n"
    )
    function, app = _function(tmp_path, code)
    content = b'{"Connection": "S", "ContainerName": "uploads", "BlobName": "a b.tif"}'
    trigger = TriggerInput("model_binding_data", ModelBindingData(content))
    assert _invoke(invoker, function, trigger).succeeded
    ((module, container, name),) = app["seen"]
    assert module.startswith("azure.storage.blob")
    assert (container, name) == ("uploads", "a b.tif")


def test_what_a_function_raises_is_its_result_and_logged_with_a_traceback(
    tmp_path: Path, invoker: WorkerInvoker, caplog: pytest.LogCaptureFixture
) -> None:
    function, _ = _function(tmp_path, f"{QUEUE}def work(m: str): raise KeyError('gone')\n")
    result = _invoke(invoker, function, TriggerInput("string", "x"))
    assert isinstance(result.error, KeyError)
    assert not result.succeeded
    assert "work failed" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("word", ["def", "async def"])
def test_even_an_exit_in_a_function_ends_its_run_only(
    tmp_path: Path, invoker: WorkerInvoker, word: str
) -> None:
    function, app = _function(
        tmp_path,
        f"import sys\nstop = True\n{QUEUE}{word} work(m: str):\n    if stop: sys.exit(3)\n",
    )
    assert isinstance(_invoke(invoker, function, TriggerInput("string", "x")).error, SystemExit)
    app["stop"] = False
    assert _invoke(invoker, function, TriggerInput("string", "x")).succeeded


def test_a_value_that_no_binding_takes_fails_the_run(
    tmp_path: Path, invoker: WorkerInvoker
) -> None:
    function, _ = _function(tmp_path, f"{QUEUE}def work(m: str): return 'unexpected'\n")
    assert isinstance(_invoke(invoker, function, TriggerInput("string", "x")).error, TypeError)


def test_sync_functions_run_at_once_as_far_as_the_pool_goes(
    tmp_path: Path, invoker: WorkerInvoker
) -> None:
    code = f"""
import threading
meeting, lock, active, peaks = threading.Barrier(2, timeout=60), threading.Lock(), [], []
{QUEUE}def work(m: str):
    with lock:
        active.append(m)
        peaks.append(len(active))
    meeting.wait()
    with lock:
        active.remove(m)
"""
    function, app = _function(tmp_path, code)

    async def run_four() -> list[InvocationResult]:
        triggers = [TriggerInput("string", str(number)) for number in range(4)]
        return await asyncio.gather(*(invoker.invoke(function, trigger) for trigger in triggers))

    assert all(result.succeeded for result in asyncio.run(run_four()))
    assert max(app["peaks"]) == 2


def test_the_size_of_the_pool_is_a_setting() -> None:
    assert thread_count({"PYTHON_THREADPOOL_THREAD_COUNT": "7"}) == 7
    assert thread_count({}) == default_thread_count() <= 32


def test_an_async_function_that_blocks_holds_up_the_others_but_not_the_host(
    tmp_path: Path, invoker: WorkerInvoker
) -> None:
    code = f"""
import threading
entered, release, order = threading.Event(), threading.Event(), []
{QUEUE}async def work(m: str):
    if m == "blocks":
        entered.set()
        release.wait(60)
    order.append(m)
"""
    function, app = _function(tmp_path, code)

    async def scenario() -> None:
        first = asyncio.create_task(invoker.invoke(function, TriggerInput("string", "blocks")))
        await asyncio.to_thread(app["entered"].wait, 20)
        second = asyncio.create_task(invoker.invoke(function, TriggerInput("string", "waits")))
        done, _ = await asyncio.wait({first, second}, timeout=0.2)
        assert not done
        app["release"].set()
        await asyncio.gather(first, second)

    asyncio.run(scenario())
    assert app["order"] == ["blocks", "waits"]


def test_async_functions_share_one_event_loop(tmp_path: Path, invoker: WorkerInvoker) -> None:
    code = (
        "import asyncio, threading\n"
        f"loops = []\n{QUEUE}async def work(m: str):\n"
        "    loops.append((asyncio.get_running_loop(), threading.current_thread().name))\n"
    )
    function, app = _function(tmp_path, code)
    for _ in range(2):
        assert _invoke(invoker, function, TriggerInput("string", "x")).succeeded
    assert len(set(app["loops"])) == 1
    assert app["loops"][0][1] != threading.current_thread().name


def test_a_caller_that_gives_up_does_not_cancel_the_function(
    tmp_path: Path, invoker: WorkerInvoker
) -> None:
    code = f"""
import asyncio, threading
entered, ended, release = threading.Event(), threading.Event(), asyncio.Event()
{QUEUE}async def work(m: str):
    global loop
    loop = asyncio.get_running_loop()
    entered.set()
    await release.wait()
    ended.set()
"""
    function, app = _function(tmp_path, code)

    async def scenario() -> None:
        run = asyncio.create_task(invoker.invoke(function, TriggerInput("string", "x")))
        await asyncio.to_thread(app["entered"].wait, 20)
        run.cancel()
        await asyncio.wait({run})
        app["loop"].call_soon_threadsafe(app["release"].set)
        assert await asyncio.to_thread(app["ended"].wait, 20)

    asyncio.run(scenario())


RETRIED = f"""
seen = []
{TIMER}@app.retry("fixed_delay", "2", "00:00:00")
def work(t: func.TimerRequest, context: func.Context):
    retry = context.retry_context
    seen.append((retry.retry_count, retry.max_retry_count, repr(retry.exception)))
    if len(seen) < succeeds_at:
        raise ValueError(len(seen))
"""


def test_a_failed_timer_run_is_repeated_by_its_policy(
    tmp_path: Path, invoker: WorkerInvoker
) -> None:
    function, app = _function(tmp_path, f"succeeds_at = 3\n{RETRIED}")
    assert _invoke(invoker, function, TICK).succeeded
    assert app["seen"] == [(0, 2, "None"), (1, 2, "ValueError(1)"), (2, 2, "ValueError(2)")]


def test_retries_end_with_the_last_error(tmp_path: Path, invoker: WorkerInvoker) -> None:
    function, app = _function(tmp_path, f"succeeds_at = 9\n{RETRIED}")
    assert repr(_invoke(invoker, function, TICK).error) == "ValueError(3)"
    assert len(app["seen"]) == 3


def test_delays_between_retries_double_up_to_their_maximum() -> None:
    policy = RetryPolicy(-1, timedelta(seconds=1), timedelta(seconds=5))
    delays = [policy.delay(count).total_seconds() for count in (0, 1, 2, 3, 1000)]
    assert delays == [1, 2, 4, 5, 5]
    assert policy.allows(10**6)


def test_a_run_over_the_function_timeout_kills(tmp_path: Path, worker: Worker) -> None:
    code = (
        "import threading\nrelease = threading.Event()\n"
        f"{QUEUE}def work(m: str): release.wait(60)\n"
    )
    function, app = _function(tmp_path, code)
    killed: list[str] = []

    def kill() -> None:
        killed.append("killed")
        app["release"].set()

    sender = QueueSender(StorageConnections({}), QueuesConfig())
    invoker = WorkerInvoker(worker, sender, timedelta(milliseconds=50), kill)
    _invoke(invoker, function, TriggerInput("string", "x"))
    assert killed == ["killed"]


def _put_out(
    azurite: Azurite, worker: Worker, function: FunctionSpec, encoding: str = "none"
) -> InvocationResult:
    connections = StorageConnections({"S": azurite.connection_string})
    options = QueuesConfig.model_validate({"messageEncoding": encoding})
    try:
        invoker = WorkerInvoker(worker, QueueSender(connections, options))
        return _invoke(invoker, function, TriggerInput("string", "x"))
    finally:
        connections.close()


def _messages(azurite: Azurite, queue: str) -> list[str]:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        client = service.get_queue_client(queue)
        return sorted(str(message.content) for message in client.receive_messages())


def _exists(azurite: Azurite, queue: str) -> bool:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        return any(found.name == queue for found in service.list_queues(name_starts_with=queue))


def _sets(queue: str, annotation: str, statement: str) -> str:
    return (
        f"import typing\n{QUEUE}@app.queue_output('out', queue_name='{queue}', connection='S')\n"
        f"def work(m: str, out: func.Out[{annotation}]):\n    {statement}\n"
    )


@pytest.mark.parametrize(
    ("annotation", "statement", "sent"),
    [
        ("str", "out.set('one')", ["one"]),
        ("bytes", "out.set('ü'.encode())", ["ü"]),
        ("str", "out.set('{\"a\": 1}')", ['{"a": 1}']),
        ("str", 'out.set(\'["a", {"b": 1}]\')', ["a", '{"b": 1}']),
        ("typing.List[str]", "out.set(['a', 'b'])", ["a", "b"]),
        ("str", "pass", None),
    ],
)
def test_an_output_that_is_set_is_sent_after_the_run(
    tmp_path: Path,
    azurite: Azurite,
    worker: Worker,
    unique_name: str,
    annotation: str,
    statement: str,
    sent: list[str] | None,
) -> None:
    function, _ = _function(tmp_path, _sets(unique_name, annotation, statement))
    assert _put_out(azurite, worker, function).succeeded
    if sent is None:
        assert not _exists(azurite, unique_name)
    else:
        assert _messages(azurite, unique_name) == sent


def test_a_returned_value_may_go_to_a_queue(
    tmp_path: Path, azurite: Azurite, worker: Worker, unique_name: str
) -> None:
    code = (
        f"{QUEUE}@app.queue_output('$return', queue_name='{unique_name}', connection='S')\n"
        "def work(m: str) -> str: return f'got {m}'\n"
    )
    function, _ = _function(tmp_path, code)
    assert _put_out(azurite, worker, function).succeeded
    assert _messages(azurite, unique_name) == ["got x"]


def test_messages_are_sent_as_base64_when_host_json_says_so(
    tmp_path: Path, azurite: Azurite, worker: Worker, unique_name: str
) -> None:
    function, _ = _function(tmp_path, _sets(unique_name, "str", "out.set('one')"))
    assert _put_out(azurite, worker, function, "base64").succeeded
    assert _messages(azurite, unique_name) == ["b25l"]


def test_a_run_that_fails_puts_out_nothing(
    tmp_path: Path, azurite: Azurite, worker: Worker, unique_name: str
) -> None:
    function, _ = _function(tmp_path, _sets(unique_name, "str", "out.set('one'); raise ValueError"))
    assert not _put_out(azurite, worker, function).succeeded
    assert not _exists(azurite, unique_name)


def test_an_output_that_cannot_be_sent_fails_the_run(
    tmp_path: Path, invoker: WorkerInvoker, unique_name: str
) -> None:
    function, _ = _function(tmp_path, _sets(unique_name, "str", "out.set('one')"))
    result = _invoke(invoker, function, TriggerInput("string", "x"))
    assert "'S' is not set" in str(result.error)
