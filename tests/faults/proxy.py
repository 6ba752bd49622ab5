"""An HTTP proxy in front of the blob service that answers some requests with faults of its own.

It knows where a head ends and how long a body is, so it can refuse, keep silent, reset or cut
at a chosen place of an answer. Only reading goes through it: uploads have their own way.
"""

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, suppress
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS: tuple[str, ...] = (
    "500",
    "503",
    "silence",
    "silence in the body",
    "reset",
    "reset in the body",
    "cut head",
    "cut body",
)
"""Time-outs are silence. What needs a body happens to a GET alone."""
_IN_BODY = {"silence in the body", "reset in the body", "cut body"}
_CODES = {"500": "InternalError", "503": "ServerBusy"}
_OF_A_HOP = {"Connection", "Keep-Alive", "Date", "date"}


class FaultyProxy(ThreadingHTTPServer):
    """Injects so many faults of each kind, at random among requests that it lets through."""

    daemon_threads = True

    def __init__(self, upstream: int, faults: Mapping[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.injected: Counter[str] = Counter()
        self.requests = 0
        self.next_places: list[int] = []
        """Where to cut the next ones, the last first; anywhere when there are none."""
        self._left = Counter(faults)
        self._dice = random.Random(self._left.total())  # noqa: S311 - test data, no secret
        self._lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def is_done(self) -> bool:
        """Whether every fault was injected."""
        return not +self._left

    def take_fault(self, method: str) -> str | None:
        """The fault for a request, if it is to have one: every second one has."""
        with self._lock:
            self.requests += 1
            possible = [kind for kind in +self._left if method == "GET" or kind not in _IN_BODY]
            if not possible or self._dice.random() < 0.5:
                return None
            kind = self._dice.choice(possible)
            self._left[kind] -= 1
            self.injected[kind] += 1
            return kind

    def place_in(self, length: int) -> int:
        """Where to cut so many bytes: neither before the first nor behind the last."""
        with self._lock:
            place = self.next_places.pop() if self.next_places else self._dice.randrange(1, length)
            return min(place, length - 1)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in mid answer is what is wanted here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connection: socket.socket

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    @property
    def _proxy(self) -> "FaultyProxy":
        assert isinstance(self.server, FaultyProxy)
        return self.server

    def _answer(self) -> None:
        fault = self._proxy.take_fault(self.command)
        if fault in _CODES:
            self._refuse(int(fault), _CODES[fault])
        elif fault == "silence":
            self._keep_silent()
        elif fault == "reset":
            self._reset()
        else:
            self._pass_on(fault)

    def _pass_on(self, fault: str | None) -> None:
        answer, body = self._ask()
        head = _head(answer.status, [(n, v) for n, v in answer.getheaders() if n not in _OF_A_HOP])
        if fault == "cut head":
            head, body = head[: self._proxy.place_in(len(head))], b""
        elif fault:
            body = body[: self._proxy.place_in(len(body))]
        self.wfile.write(head + body)
        self.close_connection = fault is not None
        if fault == "silence in the body":
            self._keep_silent()
        elif fault == "reset in the body":
            self._reset()

    def _ask(self) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {name: value for name, value in self.headers.items() if name not in _OF_A_HOP}
        upstream = http.client.HTTPConnection("127.0.0.1", self._proxy.upstream, timeout=30)
        with closing(upstream):
            upstream.request(self.command, self.path, headers=headers)
            answer = upstream.getresponse()
            return answer, answer.read()

    def _refuse(self, status: int, code: str) -> None:
        told = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
        headers = [("x-ms-error-code", code), ("Content-Length", str(len(told)))]
        self.wfile.write(_head(status, headers) + (b"" if self.command == "HEAD" else told))

    def _keep_silent(self) -> None:
        """Until the client has had enough."""
        self.connection.settimeout(0.1)
        while not self._proxy.closing.is_set():
            with suppress(TimeoutError):
                if not self.connection.recv(1):
                    break
        self.close_connection = True

    def _reset(self) -> None:
        """With nothing to linger for, closing sends RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _head(status: int, headers: list[tuple[str, str]]) -> bytes:
    """As Azure sends it, with the date last."""
    headers = [*headers, ("Date", formatdate(usegmt=True))]
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *map(": ".join, headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


@contextmanager
def faulty_proxy(upstream: int, faults: Mapping[str, int]) -> Generator[FaultyProxy]:
    """A proxy that runs while the block does."""
    with FaultyProxy(upstream, faults) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.closing.set()
            proxy.shutdown()
            thread.join()
