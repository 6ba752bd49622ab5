"""What of an app runs, and what makes the worker refuse it."""

from datetime import timedelta
from pathlib import Path

import pytest

from devhost.host.errors import AppLoadError
from devhost.host.indexing import index_app
from devhost.host.model import RetryPolicy
from tests.devhost.apps import index_code

HTTP = "@app.route('{0}')\ndef {0}(req: func.HttpRequest) -> str: ...\n"
OUTPUT = "@app.route('a')\n@app.queue_output(arg_name='out', queue_name='q', connection='S')\n"
TIMER = "@app.timer_trigger(arg_name='timer', schedule='0 0 3 * * *')\n"


def test_functions_are_ordered_by_name_without_regard_to_case(tmp_path: Path) -> None:
    code = "".join(HTTP.format(name) for name in ("beta", "Gamma", "alpha", "a_c", "aBc"))
    index = index_code(tmp_path, code)
    assert [function.name for function in index.functions] == [
        "aBc",
        "alpha",
        "a_c",
        "beta",
        "Gamma",
    ]


def test_a_function_is_described_with_resolved_bindings_and_its_types(tmp_path: Path) -> None:
    code = """
@app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="Storage")
@app.queue_output(arg_name="out", queue_name="results", connection="Storage")
async def work(msg: func.QueueMessage, out: func.Out[str], context: func.Context): ...
"""
    (function,) = index_code(tmp_path, code, {"QUEUE": "jobs"}).functions
    assert function.is_async
    assert function.trigger.type == "queueTrigger"
    assert function.trigger.properties == {"queueName": "jobs", "connection": "Storage"}
    assert [(output.name, output.direction) for output in function.outputs] == [("out", "out")]
    assert list(function.argument_types) == ["msg", "out", "context"]
    assert function.directory == str(tmp_path)


def test_a_setting_that_is_not_set_fails_that_function_only(tmp_path: Path) -> None:
    code = HTTP.format("fine") + (
        "@app.queue_trigger(arg_name='m', queue_name='%UNSET%', connection='S')\n"
        "def broken(m: str): ...\n"
    )
    index = index_code(tmp_path, code)
    assert [function.name for function in index.functions] == ["fine"]
    assert index.skipped == {"broken": "app setting 'UNSET' is not set"}


def test_a_disabled_function_does_not_run(tmp_path: Path) -> None:
    code = HTTP.format("on") + HTTP.format("off")
    index = index_code(tmp_path, code, {"AzureWebJobs.off.Disabled": "true"})
    assert [function.name for function in index.functions] == ["on"]
    assert index.skipped == {"off": "disabled"}


def test_a_binding_that_the_dev_host_lacks_fails_that_function_only(tmp_path: Path) -> None:
    code = HTTP.format("fine") + (
        "@app.event_grid_trigger(arg_name='event')\n"
        "def grid(event: func.EventGridEvent): ...\n"
        "@app.route('writes')\n"
        "@app.blob_output(arg_name='out', path='a/b', connection='S')\n"
        "def writes(req: func.HttpRequest, out: func.Out[str]) -> str: ...\n"
    )
    index = index_code(tmp_path, code)
    assert [function.name for function in index.functions] == ["fine"]
    assert "eventGridTrigger" in index.skipped["grid"]
    assert "'blob'" in index.skipped["writes"]


@pytest.mark.parametrize(
    ("decorator", "policy"),
    [
        (
            "@app.retry('fixed_delay', '3', delay_interval='00:00:05')\n",
            RetryPolicy(3, timedelta(seconds=5), timedelta(seconds=5)),
        ),
        (
            "@app.retry('exponential_backoff', '-1', None, '00:00:01', '00:01:00')\n",
            RetryPolicy(-1, timedelta(seconds=1), timedelta(minutes=1)),
        ),
    ],
)
def test_a_timer_keeps_its_retry_policy(
    tmp_path: Path, decorator: str, policy: RetryPolicy
) -> None:
    code = f"{TIMER}{decorator}def nightly(timer: func.TimerRequest): ...\n"
    (function,) = index_code(tmp_path, code).functions
    assert function.retry == policy


def test_a_retry_policy_belongs_on_timers_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    code = (
        "@app.queue_trigger(arg_name='m', queue_name='q', connection='S')\n"
        "@app.retry('fixed_delay', '3', delay_interval='00:00:05')\n"
        "def repeated(m: str): ...\n"
    )
    (function,) = index_code(tmp_path, code).functions
    assert function.retry is None
    assert "repeated: a queueTrigger ignores its retry policy" in caplog.text


REFUSED = {
    "argument without a binding": (
        "@app.route('a')\ndef a(request: func.HttpRequest) -> str: ...\n",
        "function 'a': arguments without a binding: request",
    ),
    "binding without an argument": (
        OUTPUT + "def a(req: func.HttpRequest) -> str: ...\n",
        "function 'a': bindings without an argument: out",
    ),
    "duplicate name": (HTTP.format("a") + HTTP.format("a"), "unique function name"),
    "two apps": ("second = func.FunctionApp()\n", "exactly one FunctionApp, it defines 2"),
    "no app": ("del app\n", "exactly one FunctionApp, it defines 0"),
    "unsupported return annotation": (
        "@app.route('a')\ndef a(req: func.HttpRequest) -> dict: ...\n",
        "return annotation does not fit http",
    ),
    "return annotation that is no type": (
        "@app.route('a')\ndef a(req: func.HttpRequest) -> str | None: ...\n",
        "return annotation is not supported",
    ),
    "return annotation None": (
        "@app.route('a')\ndef a(req: func.HttpRequest) -> None: ...\n",
        "return annotation does not fit http",
    ),
    "wrong argument type": (
        "@app.route('a')\ndef a(req: func.QueueMessage) -> str: ...\n",
        "does not fit httpTrigger",
    ),
    "output that is not Out": (
        OUTPUT + "def a(req: func.HttpRequest, out: str) -> str: ...\n",
        "binding 'out' is \"out\"",
    ),
    "output of a builtin generic": (
        OUTPUT + "def a(req: func.HttpRequest, out: func.Out[list[str]]) -> str: ...\n",
        "does not fit queue",
    ),
    "input that is Out": (
        "@app.route('a')\ndef a(req: func.Out[str]) -> str: ...\n",
        "binding 'req' is \"in\"",
    ),
    "wrong context": (
        "@app.route('a')\ndef a(req: func.HttpRequest, context: int) -> str: ...\n",
        '"context" must be azure.functions.Context',
    ),
    "unknown annotation": (
        "@app.route('a')\ndef a(req: 'Missing') -> str: ...\n",
        "annotations cannot be read",
    ),
    "no trigger": (
        "@app.function_name('a')\ndef a(req: func.HttpRequest) -> str: ...\n",
        "does not have a trigger",
    ),
    "import error": ("import not_there\n", "line 3: ModuleNotFoundError"),
    "error while importing": ("1 / 0\n", "function_app.py line 3: ZeroDivisionError"),
    "syntax error": ("def\n", "SyntaxError"),
}


@pytest.mark.parametrize(("code", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_one_bad_function_fails_the_whole_app(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(AppLoadError) as caught:
        index_code(tmp_path, code)
    assert said in str(caught.value)


def test_a_folder_without_a_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppLoadError, match=r"no function_app\.py"):
        index_app(tmp_path, {})


@pytest.mark.parametrize(
    "annotation", ["func.QueueMessage", "str", "bytes"], ids=["message", "text", "bytes"]
)
def test_a_queue_argument_may_be_a_message_or_its_body(tmp_path: Path, annotation: str) -> None:
    code = (
        "@app.queue_trigger(arg_name='m', queue_name='q', connection='S')\n"
        f"def work(m: {annotation}) -> dict: ...\n"  # nothing returned: the annotation is free
    )
    assert len(index_code(tmp_path, code).functions) == 1


def test_a_blob_argument_may_be_a_client_of_the_azure_sdk(tmp_path: Path) -> None:
    code = (
        "import azurefunctions.extensions.bindings.blob as blob\n"
        "@app.blob_trigger(arg_name='c', path='uploads/{name}', connection='S')\n"
        "def work(c: blob.BlobClient): ...\n"
    )
    (function,) = index_code(tmp_path, code).functions
    assert function.argument_types["c"].__name__ == "BlobClient"
