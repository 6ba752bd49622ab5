"""What the Azure SDK writes to the log."""

import logging


def quiet_request_logs() -> None:
    """Keep the SDK from logging every request, with all its headers, and every token, at INFO."""
    for name in ("azure.core.pipeline.policies.http_logging_policy", "azure.identity"):
        logging.getLogger(name).setLevel(logging.WARNING)
