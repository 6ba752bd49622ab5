"""`python -m devhost.host --app DIR --port N`: runs a function app for development and tests."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import cast

from devhost.host.errors import HostError
from devhost.host.server import HostOptions, serve


def main() -> None:
    """Runs until SIGINT or SIGTERM; ends the process with 0, or with 1 and one line of why."""
    options = _parse_arguments()
    _configure_output()
    exit_code = 0
    try:
        asyncio.new_event_loop().run_until_complete(_serve(options))
    except HostError as fault:
        sys.stderr.write(f"devhost: {fault}\n")
        exit_code = 1
    logging.shutdown()
    # A stop is a kill: the interpreter's own end would wait for functions that still run.
    os._exit(exit_code)


async def _serve(options: HostOptions) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(options, os.environ, stopping, _announce)


def _announce(line: str) -> None:
    sys.stdout.write(f"devhost: {line}\n")


def _configure_output() -> None:
    # Line by line, into a file too: a stop leaves no time to write what is still buffered.
    cast("TextIOWrapper", sys.stdout).reconfigure(line_buffering=True)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("azure.core.pipeline.policies.http_logging_policy", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _parse_arguments() -> HostOptions:
    parser = argparse.ArgumentParser(prog="python -m devhost.host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--settings", type=Path, help="instead of local.settings.json in the app")
    given = parser.parse_args()
    return HostOptions(
        app=given.app.resolve(), port=given.port, host=given.host, settings=given.settings
    )


if __name__ == "__main__":
    main()
