"""Telemetry leaves the process where somebody set an endpoint, and nowhere else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.otlp_collector import Collector, listening

PROJECT = Path(__file__).parents[2]
WORKING = """
import sys
from shared.telemetry.metrics import REGISTRATIONS
from shared.telemetry.traces import span

with span("work"):
    REGISTRATIONS.add(1)
print(sorted(name for name in sys.modules if name.startswith("opentelemetry.sdk")))
"""
AS_THE_APP_DOES = f"""
from shared import bootstrap

bootstrap.telemetry()
{WORKING}
"""
WORK = f"""
from os import environ
from shared.telemetry.exporting import export_where_configured

export_where_configured(environ)
{WORKING}
"""
"""The same without the rest of the app, which takes four times as long to import."""
WITHOUT_THE_SDK = f"""
import sys
sys.modules["opentelemetry.sdk.trace"] = None
{WORK}
"""
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with listening() as collector:
        yield collector


def run(program: str, **settings: str) -> tuple[str, str]:
    """What a process of its own prints and logs, with no telemetry set but this."""
    around = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={**around, "OTEL_EXPORTER_OTLP_COMPRESSION": "none", **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_with_an_endpoint_traces_and_metrics_are_sent_there(collector: Collector) -> None:
    _, log = run(AS_THE_APP_DOES, **{ENDPOINT: collector.url, "WEBSITE_SITE_NAME": "our-registry"})
    assert set(collector.taken) == {"/v1/traces", "/v1/metrics"}
    (body,) = collector.taken["/v1/traces"]
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert [span.name for span in collector.spans()] == ["work"]
    named = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert named == {"service.name": "our-registry"}
    assert b"registry.registrations" in b"".join(collector.taken["/v1/metrics"])
    assert log == ""


def test_the_name_that_is_set_for_telemetry_counts_for_more(collector: Collector) -> None:
    names = {"WEBSITE_SITE_NAME": "our-registry", "OTEL_SERVICE_NAME": "its-other-name"}
    run(WORK, **{ENDPOINT: collector.url, **names})
    assert b"its-other-name" in collector.taken["/v1/traces"][0]


def test_without_an_endpoint_nothing_is_collected_and_no_sdk_is_loaded() -> None:
    printed, log = run(AS_THE_APP_DOES)
    assert printed.strip() == "[]"
    assert log == ""


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"OTEL_SDK_DISABLED": "true"}, marks=pytest.mark.long),
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
)
def test_what_is_switched_off_is_not_sent(collector: Collector, settings: dict[str, str]) -> None:
    printed, _ = run(WORK, **{ENDPOINT: collector.url, **settings})
    assert printed.strip() == "[]"
    assert collector.taken == {}


def test_one_of_the_two_can_be_sent_alone(collector: Collector) -> None:
    run(WORK, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces")
    assert set(collector.taken) == {"/v1/traces"}


def test_another_protocol_is_refused_with_a_warning(collector: Collector) -> None:
    _, log = run(WORK, **{ENDPOINT: collector.url, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert collector.taken == {}
    assert "telemetry not exported: signal=TRACES protocol=grpc" in log


def test_without_its_packages_the_registry_works_and_says_so(collector: Collector) -> None:
    _, log = run(WITHOUT_THE_SDK, **{ENDPOINT: collector.url})
    assert collector.taken == {}
    assert "telemetry not exported: missing=extra telemetry" in log


def test_what_the_sdk_cannot_read_costs_telemetry_alone_and_is_not_repeated(
    collector: Collector,
) -> None:
    secret = {"OTEL_EXPORTER_OTLP_HEADERS": "a secret key"}
    broken = {ENDPOINT: collector.url, "OTEL_BSP_MAX_QUEUE_SIZE": "0", **secret}
    _, log = run(AS_THE_APP_DOES, **broken)
    assert set(collector.taken) == {"/v1/metrics"}
    assert "telemetry not exported: signal=TRACES" in log
    assert "secret" not in log
    _, log = run(WORK, **{ENDPOINT: collector.url, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "x"})
    assert "telemetry not exported: signal=METRICS" in log
