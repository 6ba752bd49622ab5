"""How each of our commands begins."""

import sys
from io import TextIOWrapper

import typer

EXIT_CODES = (
    "Exit codes: 0 done, 1 refused or failed, 2 wrong use or settings, 3 not found,"
    " 4 not allowed, 5 conflict, 6 not available."
)


def start(app: typer.Typer, name: str) -> None:
    """Run a command; what it writes is UTF-8, whatever the machine is set to."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    app(prog_name=name)
