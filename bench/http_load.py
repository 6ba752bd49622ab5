"""A client that asks for little of the processor, so that what it measures is the server."""

import selectors
import socket
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_PIECE_BYTES = 256 * 1024
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CHUNKED = b"transfer-encoding: chunked"
_LAST_CHUNK = b"0\r\n\r\n"
_PATIENCE_SECONDS = 60.0


class UnexpectedAnswer(Exception):
    """The server answered with something else than the benchmark asks for."""


def request_bytes(
    method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> bytes:
    """A request, made before anything is timed."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def host_header(url: str) -> dict[str, str]:
    """What every request to this server needs."""
    return {"Host": urlsplit(url).netloc}


class Load:
    """Keep-alive connections to one server, each with one request under way at a time.

    One thread waits for all of them. Acknowledges at once whatever arrives: a server that sends an
    answer in two pieces without TCP_NODELAY would else wait 40 ms for us to do so.
    """

    def __init__(self, url: str, connections: int) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        address = (parts.hostname, parts.port)
        self._clients = [_Client(address) for _ in range(connections)]
        self._selector = selectors.DefaultSelector()
        for client in self._clients:
            self._selector.register(client.socket, selectors.EVENT_READ, client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._selector.close()
        for client in self._clients:
            client.socket.close()

    def send(self, requests: Sequence[bytes], status: int = 200) -> None:
        """Have all of them answered; raises UnexpectedAnswer unless each has this status."""
        begin = b"HTTP/1.1 %d " % status
        unsent = iter(requests)
        under_way = sum(client.send_next(unsent) for client in self._clients)
        while under_way:
            ready = self._selector.select(_PATIENCE_SECONDS)
            if not ready:
                raise UnexpectedAnswer(f"{under_way} requests are not answered.")
            for key, _ in ready:
                client: _Client = key.data
                if client.receive(begin) and not client.send_next(unsent):
                    under_way -= 1

    def ask(self, request: bytes, status: int = 200) -> bytes:
        """The body of one answer."""
        self.send([request], status)
        return self._clients[0].body


class _Client:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=_PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    @property
    def body(self) -> bytes:
        return self._received.partition(_HEAD_END)[2]

    def send_next(self, unsent: Iterator[bytes]) -> bool:
        """False where nothing is left to be sent."""
        request = next(unsent, None)
        if request is None:
            return False
        self._received = b""
        self.socket.sendall(request)
        return True

    def receive(self, begin: bytes) -> bool:
        """True once the answer is whole."""
        piece = self.socket.recv(_PIECE_BYTES)
        if hasattr(socket, "TCP_QUICKACK"):  # Linux; it falls back by itself, so set each time
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._received += piece
        whole = _is_whole(self._received)
        if not piece or (whole and not self._received.startswith(begin)):
            told = self._received[:2000].decode(errors="replace")
            raise UnexpectedAnswer(told or "The server hung up.")
        return whole


def _is_whole(received: bytes) -> bool:
    end = received.find(_HEAD_END)
    if end < 0:
        return False
    head = received[:end].lower()
    if _CHUNKED in head:
        return received.endswith(_LAST_CHUNK)
    _, found, rest = head.partition(_LENGTH)
    if not found:
        raise UnexpectedAnswer("The answer does not say how long it is.")
    return len(received) >= end + len(_HEAD_END) + int(rest.partition(b"\r\n")[0])
