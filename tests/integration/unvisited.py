"""A place on this machine that nobody is to call."""

import socket
from collections.abc import Generator
from contextlib import contextmanager

import pytest


@contextmanager
def unvisited_host() -> Generator[str]:
    """Host and port that take note of who calls; fails at the end where somebody did."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
