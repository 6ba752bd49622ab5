"""A token is told to the server that the URL names, and to nobody who stands in its place."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from shared.database.options import connection_options
from tests.integration.identifying import certify

SSL_REQUEST = (80877103).to_bytes(4)
ASKS_FOR_PASSWORD = b"R" + (8).to_bytes(4) + (3).to_bytes(4)


class Server(socketserver.ThreadingTCPServer):
    """Says that it is PostgreSQL, and asks for a password as Azure's does: to be told it as it is.

    It hears nothing of the rest, for it hangs up then.
    """

    daemon_threads = True

    def __init__(self, certificate: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Asking)
        self.certificate = certificate
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.has_tls = True
        self.heard: list[bytes] = []
        """All that came after the question whether there is TLS."""


class _Asking(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        first = self.request.recv(8)
        if first[4:] != SSL_REQUEST:
            server.heard.append(first)
            return
        self.request.sendall(b"S" if server.has_tls else b"N")
        if not server.has_tls:
            server.heard.append(self.request.recv(1024))
            return
        with (
            suppress(OSError),
            server.context.wrap_socket(self.request, server_side=True) as secured,
        ):
            secured.recv(1024)
            secured.sendall(ASKS_FOR_PASSWORD)
            server.heard.append(secured.recv(1024))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """It can prove that it is `db.example`."""
    with Server(*certify(tmp_path, "db.example")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def heard(server: Server, host: str, **asked: str) -> bytes:
    """What it is told by who takes it for a server of that name."""
    more = urlencode({"hostaddr": "127.0.0.1", "sslmode": "disable", **asked})
    url = f"postgresql://app@{host}:{server.server_address[1]}/registry?{more}"
    server.heard.clear()
    with pytest.raises(psycopg.OperationalError):
        psycopg.Connection.connect(url, **connection_options(url, 5, lambda: "t0ken"))
    return b"".join(server.heard)


def test_only_who_proves_its_name_is_told_the_token(server: Server) -> None:
    authorities = {"sslrootcert": str(server.certificate)}
    assert b"t0ken" in heard(server, "db.example", **authorities)
    assert heard(server, "other.example", **authorities) == b""
    assert heard(server, "db.example") == b""  # no authority of HTTPS knows it
    server.has_tls = False
    assert heard(server, "db.example", **authorities) == b""
