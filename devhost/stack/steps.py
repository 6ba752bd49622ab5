"""Tells the user at the terminal what the stack is doing."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event

from rich.console import Console


class StopRequested(Exception):
    """The user asked for a stop while the stack was starting."""


class Steps:
    """Announces each step of the start, and lets a stop happen between two of them."""

    def __init__(self, console: Console, stop: Event) -> None:
        self.console = console
        self._stop = stop

    @contextmanager
    def step(self, doing: str) -> Generator[None]:
        """Raises `StopRequested` instead of beginning when a stop was asked for."""
        if self._stop.is_set():
            raise StopRequested
        began = time.monotonic()
        with self.console.status(f"{doing} …"):
            yield
        seconds = time.monotonic() - began
        self.console.print(f"  [green]✓[/] {doing} [dim]{seconds:.1f} s[/]", highlight=False)
