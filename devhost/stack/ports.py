"""TCP ports on the loopback interface."""

import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nothing listens on, and that nobody else is given while this process runs."""
    holder = socket.socket()
    holder.bind((LOOPBACK, 0))
    # Bound but not listening, it keeps the system from choosing the port, and a server may have it.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = holder.getsockname()[1]
    holder.detach()  # never closed
    return port


def preferred_or_free(port: int) -> int:
    """`port` when it is free, else any free one."""
    return port if is_free(port) else free_port()
