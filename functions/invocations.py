"""One run of a function, as telemetry tells of it."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import azure.functions as func

from shared.bootstrap import telemetry
from shared.telemetry.metrics import QUEUE_AGE
from shared.telemetry.traces import invocation

_OLDEST_SECONDS = 30 * 86400.0


@contextmanager
def traced_run(context: func.Context) -> Generator[None]:
    """The step in a trace that this run is."""
    telemetry()
    with invocation(context.function_name, _told_by_host(context)):
        yield


@contextmanager
def taken(message: func.QueueMessage, context: func.Context) -> Generator[bytes]:
    """The same for a run that takes a message: answers with its body, as services know it."""
    telemetry()
    _record_age(message, context.function_name)
    with invocation(context.function_name, _told_by_host(context), message.get_body()) as body:
        yield body


def _told_by_host(context: func.Context) -> dict[str, str]:
    told = context.trace_context
    return {"traceparent": told.trace_parent or "", "tracestate": told.trace_state or ""}


def _record_age(message: func.QueueMessage, function: str) -> None:
    """Members of a body may stand in for the message's metadata: what is no age is left out, and
    none outweighs all others."""
    inserted = message.insertion_time
    if isinstance(inserted, datetime) and inserted.tzinfo is not None:
        age = (datetime.now(UTC) - inserted).total_seconds()
        QUEUE_AGE.record(min(max(age, 0.0), _OLDEST_SECONDS), {"faas.name": function})
