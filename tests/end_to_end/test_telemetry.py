"""The running app, told where to export to: an upload is one trace, and the host keeps running."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.waiting import wait_for
from tests.otlp_collector import Collector, listening

STEPS = {"blob_uploaded", "blob_events", "hash blob", "register artifact"}


def trace_of_an_upload(collector: Collector) -> list[Span]:
    """All spans of the trace that a registration is in, once they are all there."""
    spans = collector.spans()
    (trace_id,) = {span.trace_id for span in spans if span.name == "register artifact"} or {b""}
    found = [span for span in spans if span.trace_id == trace_id]
    return found if {span.name for span in found} >= STEPS else []


def sent_to(collector: Collector) -> bytes:
    return b"".join(body for bodies in list(collector.taken.values()) for body in list(bodies))


def test_an_upload_is_exported_as_one_trace(
    run_app: RunApp, database_url: str, azurite: Azurite
) -> None:
    with listening() as collector:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_SERVICE_NAME": "the-registry",
        }
        with run_app(database_url, azurite, settings) as (app, ground):
            ground.uploads.upload_blob("flood/first.tif", b"pixels")
            spans = wait_for("the trace", lambda: trace_of_an_upload(collector))
            assert {span.name for span in spans} == STEPS
            wait_for("the metrics", lambda: b"registry.registrations" in sent_to(collector))
            ground.wait_until_drained()
            assert "Traceback" not in app.log
    assert b"the-registry" in sent_to(collector)
    assert b"first.tif" not in sent_to(collector)
