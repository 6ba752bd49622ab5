"""Lines in the log: a constant name of what happened, and the facts."""

import logging
import re
from typing import Any

OURS = ("shared.", "functions.")
MESSAGE = re.compile(r"[a-z][a-z ]*(:( [a-z_]+=%[sd])+)?")
"""What our messages look like: `blob registered: outcome=%s size_bytes=%d`."""

_FACT = re.compile(r"([a-z_]+)=%")
_FORMER = logging.getLogRecordFactory()
_TALKATIVE = ("opentelemetry.trace.span", "opentelemetry.util.re")


def add_facts() -> None:
    """From now on each record of ours has its event and its facts as attributes as well.

    Who collects records finds `registry.event` and `registry.<fact>`; who reads lines finds what
    he always did.
    """
    logging.setLogRecordFactory(_record)


def quiet_others() -> None:
    """Keep OpenTelemetry from logging what it cannot read: a `tracestate` that any stranger may
    send with a request, and OTEL_EXPORTER_OTLP_HEADERS, where keys are."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)


def _record(*given: Any, **named: Any) -> logging.LogRecord:
    record = _FORMER(*given, **named)
    if record.name.startswith(OURS):
        told = str(record.msg)
        record.__dict__["registry.event"] = told.partition(":")[0]
        args = record.args if isinstance(record.args, tuple) else ()
        for name, fact in zip(_FACT.findall(told), args, strict=False):
            record.__dict__[f"registry.{name}"] = fact if isinstance(fact, int) else str(fact)
    return record
