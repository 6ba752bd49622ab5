"""A TCP proxy on 127.0.0.1 that breaks connections in the middle of an answer."""

import socket
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

_PIECE = 64 * 1024


class BreakingProxy(socketserver.ThreadingTCPServer):
    """Forwards to `upstream`; breaks `breaks` connections, each after `after_bytes` of answer."""

    daemon_threads = True

    def __init__(self, upstream: int, *, breaks: int, after_bytes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Forwarding)
        self.upstream = upstream
        self.after_bytes = after_bytes
        self._breaks_left = breaks
        self._lock = threading.Lock()
        self.broken = 0

    @property
    def port(self) -> int:
        return self.server_address[1]

    def take_break(self) -> bool:
        """Whether the connection that asks is to be broken now."""
        with self._lock:
            if self.broken == self._breaks_left:
                return False
            self.broken += 1
            return True


class _Forwarding(socketserver.BaseRequestHandler):
    request: socket.socket

    def handle(self) -> None:
        assert isinstance(self.server, BreakingProxy)
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
            threading.Thread(target=_pump, args=(self.request, upstream), daemon=True).start()
            self._answer(upstream, self.server)

    def _answer(self, upstream: socket.socket, proxy: BreakingProxy) -> None:
        answered = 0
        with suppress(OSError):
            while piece := upstream.recv(_PIECE):
                room = proxy.after_bytes - answered
                if len(piece) > room and proxy.take_break():
                    self.request.sendall(piece[:room])
                    return
                self.request.sendall(piece)
                answered += len(piece)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)


@contextmanager
def breaking_proxy(upstream: int, *, breaks: int, after_bytes: int) -> Generator[BreakingProxy]:
    """A proxy that runs while the block does."""
    with BreakingProxy(upstream, breaks=breaks, after_bytes=after_bytes) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
