"""The `context` argument of a function."""

import threading
from dataclasses import dataclass, field

import azure.functions as func

from devhost.host.model import FunctionSpec


@dataclass(frozen=True)
class TraceContext:
    """Distributed tracing; the dev host traces nothing, so all of it is empty."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class RetryContext:
    """Which run of a function with a retry policy this is."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: BaseException | None = None


class InvocationContext(func.Context):
    """One run of a function."""

    def __init__(
        self,
        function: FunctionSpec,
        invocation_id: str,
        thread_local_storage: threading.local,
        retry_context: RetryContext,
    ) -> None:
        self._function = function
        self._invocation_id = invocation_id
        self._thread_local_storage = thread_local_storage
        self._retry_context = retry_context

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def function_name(self) -> str:
        return self._function.name

    @property
    def function_directory(self) -> str:
        return self._function.directory

    # The library's own annotations below name a class and ABCs where every worker passes others.
    @property
    def thread_local_storage(self) -> threading.local:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Holds `invocation_id` in the thread that runs the function."""
        return self._thread_local_storage

    @property
    def trace_context(self) -> TraceContext:  # pyright: ignore[reportIncompatibleMethodOverride]
        return TraceContext()

    @property
    def retry_context(self) -> RetryContext:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._retry_context
