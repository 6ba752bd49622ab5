"""How each of our commands begins, and how it ends where nobody can be told."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn, TextIO, cast

import typer

EXIT_CODES = (
    "Exit codes: 0 done, 1 refused or failed, 2 wrong use or settings, 3 not found,"
    " 4 not allowed, 5 conflict, 6 not available."
)


def start(app: typer.Typer, name: str) -> None:
    """Run a command; what it writes is UTF-8, whatever the machine is set to."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            app(prog_name=name)
        finally:
            sys.stdout.flush()
    except OSError as error:
        _end_unheard(error)


def _open_what_is_closed() -> None:
    """Stand in for what a shell closed, before a file takes its number.

    What is written to stdout is still an error; what stderr would have told is told to nobody.
    """
    sys.stdin = _or_nothing(sys.stdin, os.O_RDONLY, "r")
    sys.stdout = _or_nothing(sys.stdout, os.O_RDONLY, "w")
    sys.stderr = _or_nothing(sys.stderr, os.O_WRONLY, "w")


def _or_nothing(stream: TextIO | None, flags: int, mode: str) -> TextIO:
    if stream is not None:
        return stream
    nothing = os.fdopen(os.open(os.devnull, flags), mode, encoding="utf-8")
    return cast("TextIO", nothing)


def _end_unheard(error: OSError) -> NoReturn:
    """End with 1; in one line where that can be read, and not where a reader merely left."""
    with suppress(OSError):
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"error: {error.filename or 'stdout'}: {error.strerror}\n")
            sys.stderr.flush()
    # What could not be written is not tried again when the interpreter ends.
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nothing, stream.fileno())
    sys.exit(1)
