"""Runs functions: genuine inputs in, outputs out, with retries and the function timeout."""

import asyncio
import logging
import os
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from devhost.host.context import InvocationContext, RetryContext
from devhost.host.inputs import trigger_argument
from devhost.host.model import FunctionSpec, InvocationResult, TriggerInput
from devhost.host.outputs import Output, QueueSender, encode_outputs, out_arguments
from devhost.host.signature import CONTEXT
from devhost.host.worker import Worker

TIMEOUT_EXIT_CODE = 124
"""What the process ends with when a run takes longer than `functionTimeout`."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Run:
    """How a call of the function ended, before its outputs are sent."""

    outputs: list[Output] = field(default_factory=list[Output])
    error: BaseException | None = None


def kill_process() -> None:
    """Ends the process at once, as the host does with a worker that ran into the timeout."""
    logging.shutdown()
    os._exit(TIMEOUT_EXIT_CODE)


class WorkerInvoker:
    """The `Invoker` of the dev host.

    The real host kills the worker, with every run in it, when one run exceeds `timeout`, and
    starts another. Here host and worker are one process, so `on_timeout` ends the whole host.
    """

    def __init__(
        self,
        worker: Worker,
        sender: QueueSender,
        timeout: timedelta | None = None,
        on_timeout: Callable[[], None] = kill_process,
    ) -> None:
        self._worker = worker
        self._sender = sender
        self._timeout = timeout
        self._on_timeout = on_timeout
        self._thread_local_storage = threading.local()

    async def invoke(self, function: FunctionSpec, trigger: TriggerInput) -> InvocationResult:
        """Runs the function once, and again as its retry policy says; failures are logged."""
        retries = RetryContext(
            max_retry_count=function.retry.max_retry_count if function.retry else 0
        )
        while True:
            result = await self._invoke_once(function, trigger, retries)
            policy, count = function.retry, retries.retry_count
            if result.succeeded or policy is None or not policy.allows(count):
                return result
            await asyncio.sleep(policy.delay(count).total_seconds())
            retries = RetryContext(count + 1, policy.max_retry_count, result.error)

    async def _invoke_once(
        self, function: FunctionSpec, trigger: TriggerInput, retries: RetryContext
    ) -> InvocationResult:
        context = InvocationContext(
            function, str(uuid.uuid4()), self._thread_local_storage, retries
        )
        run = await self._within_timeout(function, self._run(function, trigger, context))
        error = run.error or await self._send(run.outputs)
        if error is not None:
            _log.error("%s failed, run %s", function.name, context.invocation_id, exc_info=error)
            return InvocationResult(error=error)
        _log.debug("%s succeeded, run %s", function.name, context.invocation_id)
        answers = (output.datum for output in run.outputs if output.binding.type == "http")
        return InvocationResult(returned=next(answers, None))

    async def _within_timeout(self, function: FunctionSpec, work: Any) -> _Run:
        future = self._worker.submit(work)
        seconds = self._timeout.total_seconds() if self._timeout else None
        # Unlike `wait_for`, `wait` leaves the run alone when the caller is cancelled.
        done, _ = await asyncio.wait({future}, timeout=seconds)
        if not done:
            _log.critical("%s ran longer than functionTimeout, %s", function.name, self._timeout)
            self._on_timeout()
        return await future

    async def _run(
        self, function: FunctionSpec, trigger: TriggerInput, context: InvocationContext
    ) -> _Run:
        try:
            arguments: dict[str, Any] = out_arguments(function)
            arguments[function.trigger.name] = trigger_argument(function, trigger)
            if CONTEXT in function.argument_types:
                arguments.setdefault(CONTEXT, context)
            returned = await self._call(function, arguments, context)
            return _Run(encode_outputs(function, arguments, returned))
        except BaseException as fault:  # noqa: BLE001 - whatever a function raises fails its run only
            return _Run(error=fault)

    async def _call(
        self, function: FunctionSpec, arguments: dict[str, Any], context: InvocationContext
    ) -> Any:
        def call() -> Any:
            context.thread_local_storage.invocation_id = context.invocation_id
            return function.callable(**arguments)

        return await call() if function.is_async else await self._worker.call(call)

    async def _send(self, outputs: list[Output]) -> Exception | None:
        """Sends what a successful run put out; a failure to do so fails the run, as on Azure."""
        try:
            for output in outputs:
                if output.binding.type == "queue":
                    await asyncio.to_thread(self._sender.send, output)
        except Exception as fault:  # noqa: BLE001 - the run's result carries it
            return fault
        return None
