"""Spans and metrics as a test reads them: from memory, of what it did itself."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    NumberDataPoint,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from shared.telemetry import traces

_DELTA = {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}


@cache
def _reader() -> InMemoryMetricReader:
    """One for the whole process: what counts is made once, and counts for the first who asks."""
    reader = InMemoryMetricReader(preferred_temporality=dict(_DELTA))
    metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    return reader


@dataclass(frozen=True)
class Collected:
    """What was told since the test began."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """By name, the latest of each."""
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def metrics(self) -> dict[str, dict[tuple[tuple[str, object], ...], float]]:
        """What was counted since this was last asked: name → attributes → sum, or last value.

        Of a histogram it is how often something was recorded.
        """
        data = _reader().get_metrics_data()
        if data is None:
            return {}
        found = (
            metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        )
        return {
            metric.name: {
                _key(point.attributes or {}): point.value
                if isinstance(point, NumberDataPoint)
                else point.count
                for point in metric.data.data_points
            }
            for metric in found
        }


def _key(attributes: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(attributes.items()))


@contextmanager
def collecting(monkeypatch: pytest.MonkeyPatch) -> Generator[Collected]:
    """Collect, as if somebody had configured it; afterwards nobody does any more."""
    collected = Collected()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(collected.exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(traces, "_TRACER", provider.get_tracer("tests"))
    collected.metrics()
    yield collected
    provider.shutdown()


def context_of(span: ReadableSpan) -> SpanContext:
    found = span.get_span_context()
    assert found is not None
    return found
