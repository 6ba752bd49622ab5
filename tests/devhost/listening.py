"""Listeners under test: real ones on a loop of their own, and a recording in place of the app."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from devhost.host.listeners import Listener
from devhost.host.model import Binding, FunctionSpec, InvocationResult, TriggerInput
from devhost.host.storage import HOST_CONNECTION, StorageConnections

PATIENCE_SECONDS = 60.0
CONNECTION = "SampleStorage"


def connections_to(connection_string: str) -> StorageConnections:
    """Both the host's own storage and the sample functions' lie in the same account."""
    return StorageConnections({HOST_CONNECTION: connection_string, CONNECTION: connection_string})


def function_with(
    trigger: str, name: str = "sample", annotation: Any = None, **properties: Any
) -> FunctionSpec:
    """A function of which only the trigger matters."""

    def never_called() -> None:
        raise AssertionError("the recording runs in its place")

    return FunctionSpec(
        name=name,
        trigger=Binding(trigger, "item", "in", {"connection": CONNECTION, **properties}),
        outputs=(),
        callable=never_called,
        is_async=False,
        argument_types={"item": annotation},
    )


@dataclass(frozen=True)
class Run:
    """One run that a listener asked for."""

    function: str
    trigger: TriggerInput
    started: float


class Recording:
    """An `Invoker` that notes what it is asked to run and does what the test says instead."""

    def __init__(self, behaviour: Callable[[TriggerInput], object] = lambda _: None) -> None:
        self.behaviour = behaviour
        self.runs: list[Run] = []
        self.ended = 0

    async def invoke(self, function: FunctionSpec, trigger: TriggerInput) -> InvocationResult:
        self.runs.append(Run(function.name, trigger, time.monotonic()))
        try:
            await asyncio.to_thread(self.behaviour, trigger)
        except Exception as fault:  # noqa: BLE001 - what a function raises is its result
            return InvocationResult(error=fault)
        finally:
            self.ended += 1
        return InvocationResult()

    @property
    def values(self) -> list[Any]:
        return [run.trigger.value for run in self.runs]


def fail(_: TriggerInput) -> None:
    """The behaviour of a function that never succeeds."""
    raise RuntimeError("as asked")


def decoded(trigger_type: str, trigger: TriggerInput) -> Any:
    """What the function would receive, built by the library's own converter."""
    converter: Any = func.get_binding_registry().get(trigger_type)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped library
    metadata = {key: Datum(json.dumps(value), "json") for key, value in trigger.metadata.items()}
    return converter.decode(Datum(trigger.value, trigger.kind), trigger_metadata=metadata)


class Listening:
    """A listener at work; `stop` returns when it has ended."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._work)
        self._fault: BaseException | None = None
        self._thread.start()

    def stop(self) -> None:
        """Raises what the listener raised."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the listener does not stop"
        if self._fault:
            raise self._fault

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._run())
            except BaseException as fault:  # noqa: BLE001 - raised again where the test stops it
                self._fault = fault

    async def _run(self) -> None:
        await asyncio.gather(*(listener.run(self._stopping) for listener in self._listeners))


@contextmanager
def listening(*listeners: Listener) -> Generator[Listening]:
    """Listen while the block runs."""
    at_work = Listening(*listeners)
    try:
        yield at_work
    finally:
        if not at_work.has_ended:
            at_work.stop()


def eventually(holds: Callable[[], object], within: float = PATIENCE_SECONDS) -> None:
    """Return as soon as it holds; fail when it does not in time."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
