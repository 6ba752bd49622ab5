"""How each of our commands begins."""

import sys
from io import TextIOWrapper

import typer


def start(app: typer.Typer, name: str) -> None:
    """Run a command; what it writes is UTF-8, whatever the machine is set to."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    app(prog_name=name)
