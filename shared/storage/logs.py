"""What the Azure SDK writes to the log."""

import logging


def quiet_request_logs() -> None:
    """Keep the SDK from logging every request, with all its headers, at INFO."""
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
