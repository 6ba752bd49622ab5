"""Where telemetry goes: to an OTLP endpoint, if one is set, and otherwise nowhere.

The variables are OpenTelemetry's own, which the Functions host obeys as well. What is sent to
Application Insights the language worker sees to: see docs/telemetry.md.
"""

import logging
from collections.abc import Mapping

from shared.telemetry.traces import are_collected

_LOGGER = logging.getLogger(__name__)
_PREFIX = "OTEL_EXPORTER_OTLP"
_PROTOCOL = "http/protobuf"
_SERVICE = "artifact-registry"


def export_where_configured(environment: Mapping[str, str]) -> None:
    """Collect and export traces and metrics, once a process, if the environment says where to."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or are_collected():
        return  # collected by the language worker, which was faster
    wanted = {signal for signal in ("TRACES", "METRICS") if _is_wanted(signal, environment)}
    if not wanted:
        return
    for signal in sorted(wanted):
        try:
            _export(signal, environment.get("WEBSITE_SITE_NAME", _SERVICE))
        except ImportError:
            _LOGGER.warning("telemetry not exported: missing=%s", "extra telemetry")
        except Exception:  # what the SDK cannot read in a variable is no reason not to work
            _LOGGER.warning("telemetry not exported: signal=%s", signal, exc_info=True)


def _export(signal: str, service: str) -> None:
    from shared.telemetry import otlp  # noqa: PLC0415 - its packages are an extra

    if signal == "TRACES":
        otlp.export_traces(service)
    else:
        otlp.export_metrics(service)


def _is_wanted(signal: str, environment: Mapping[str, str]) -> bool:
    """Whether an endpoint is set for it, and the protocol is the one that is spoken here."""

    def told(what: str) -> str | None:
        own = environment.get(f"{_PREFIX}_{signal}_{what}")
        return own or environment.get(f"{_PREFIX}_{what}")

    if environment.get(f"OTEL_{signal}_EXPORTER", "otlp") != "otlp" or not told("ENDPOINT"):
        return False
    protocol = told("PROTOCOL") or _PROTOCOL
    if protocol != _PROTOCOL:
        _LOGGER.warning("telemetry not exported: signal=%s protocol=%s", signal, protocol)
    return protocol == _PROTOCOL
