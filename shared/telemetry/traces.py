"""Traces: what became of one upload, over all the queues on its way."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

_TRACER = trace.get_tracer("artifact_registry")
_CARRIER = TraceContextTextMapPropagator()
_PARENT = "traceparent"
_TOLD = re.compile(rb', "traceparent": "(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"\}\s*\Z')
"""The end of a JSON object in a message of ours."""


def are_collected() -> bool:
    """Whether anybody in this process takes spans: we ourselves, or the language worker."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    links: tuple[Link, ...] = (),
    facts: Mapping[str, AttributeValue] | None = None,
) -> Generator[Span]:
    """A step of the work.

    Of an error only its kind is told: what drivers and the SDK say may hold a signature or a key.
    """
    if not are_collected():
        yield trace.INVALID_SPAN
        return
    with _TRACER.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=facts,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as step:
        try:
            yield step
        except Exception as fault:
            step.set_attribute("error.type", type(fault).__name__)
            step.set_status(Status(StatusCode.ERROR))
            raise


@contextmanager
def invocation(name: str, host: Mapping[str, str], body: bytes = b"") -> Generator[bytes]:
    """The step that a function is; answers with the message it takes, as it was before `traced`.

    It goes on with the trace of whoever sent the message, and is linked to the host's own span of
    this run; without such a message it goes on with the host's. Whatever an earlier run left behind
    in this thread counts for nothing.
    """
    message, sent = untraced(body)
    if not are_collected():
        yield message
        return
    of_host = _CARRIER.extract(host, context=Context())
    of_sender = _CARRIER.extract({_PARENT: sent}, context=Context()) if sent else of_host
    seen = trace.get_current_span(of_host).get_span_context()
    links = (Link(seen),) if sent and seen.is_valid else ()
    kind = SpanKind.CONSUMER if body else SpanKind.INTERNAL
    with span(name, kind=kind, parent=of_sender, links=links, facts={"faas.name": name}):
        yield message


def traced(message: str) -> str:
    """A message, with the trace that it is sent in, if there is one and it is a JSON object.

    Where nobody collects traces it stays as it is: earlier versions of the registry, which may
    still be running, refuse members that they do not know.
    """
    carrier: dict[str, str] = {}
    if are_collected():
        _CARRIER.inject(carrier)
    if _PARENT not in carrier or not message.endswith("}") or message == "{}":
        return message
    return f'{message.removesuffix("}")}, "{_PARENT}": "{carrier[_PARENT]}"}}'


def untraced(body: bytes) -> tuple[bytes, str | None]:
    """A message as it was before `traced`, to the byte, and the trace that it was sent in.

    Messages are told apart by their bytes: the same one in two traces has to stay the same.
    """
    told = _TOLD.search(body)
    if told is None:
        return body, None
    return body[: told.start()] + b"}", told[1].decode()
