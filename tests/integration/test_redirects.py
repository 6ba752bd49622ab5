"""A redirect is not followed: storage is asked where the connection string says, nowhere else."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.errors import StorageUnavailable
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.listed_blobs import BlobScope
from shared.storage.blobs import BlobStore
from shared.storage.queues import ReceivedMessage, StorageQueue

ACCOUNT = "redirected"
BLOB = BlobReference(ACCOUNT, "container", "path")
STATUSES = [300, 301, 302, 303, 307, 308]


class Host(ThreadingHTTPServer):
    """Answers everything with one status, and remembers who was here."""

    daemon_threads = True

    def __init__(self, status: int, location: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.status = status
        self.location = location
        self.asked: list[str] = []
        self.authorized: list[str] = []
        """The schemes by which those who asked said who they are."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def connection_string(self) -> str:
        endpoints = f"BlobEndpoint={self.url}/{ACCOUNT};QueueEndpoint={self.url}/{ACCOUNT}"
        return f"AccountName={ACCOUNT};AccountKey=a2V5;{endpoints}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        assert isinstance(self.server, Host)
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.authorized.append(self.headers.get("Authorization", "").partition(" ")[0])
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        if self.server.location is not None:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
        pass


@contextmanager
def answering(status: int, location: str | None = None) -> Generator[Host]:
    with Host(status, location) as host:
        thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield host
        finally:
            host.shutdown()
            thread.join()


PROPERTIES = BlobProperties(
    reference=BLOB,
    uri="",
    etag="0x1",
    size_bytes=3,
    content_type=None,
    version_id=None,
    tier=None,
    metadata={},
    last_modified=datetime(2026, 1, 1, tzinfo=UTC),
    tag_count=1,
)
CALLS: dict[str, Callable[[BlobStore], object]] = {
    "HEAD": lambda store: store.properties(BLOB),
    "GET": lambda store: list(store.read(PROPERTIES)),
    "GET?comp=tags": lambda store: store.tags(PROPERTIES),
    "DELETE": lambda store: store.remove(PROPERTIES),
    "PUT": lambda store: store.set_tier(PROPERTIES, "Cool"),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("call", CALLS)
def test_no_request_about_a_blob_follows_a_redirect_to_another_host(status: int, call: str) -> None:
    with answering(200) as elsewhere, answering(status, f"{elsewhere.url}/stolen") as storage:
        with pytest.raises(StorageUnavailable):
            CALLS[call](BlobStore(storage.connection_string))
        assert elsewhere.asked == []
        assert {request.split("?")[0] for request in storage.asked} == {
            f"{call.split('?', maxsplit=1)[0]} /{ACCOUNT}/container/path"
        }


def test_nor_does_one_follow_a_redirect_to_another_path_of_the_same_host() -> None:
    with answering(307, f"/{ACCOUNT}/other/blob") as storage:
        with pytest.raises(StorageUnavailable, match="elsewhere"):
            BlobStore(storage.connection_string).properties(BLOB)
        assert storage.asked == [f"HEAD /{ACCOUNT}/container/path"]


MESSAGE = ReceivedMessage("id", "receipt", None, b"body")
OTHER_CALLS: dict[str, Callable[[BlobStore, StorageQueue], object]] = {
    "check of an account": lambda store, _: store.check(),
    "list": lambda store, _: list(store.listing(BlobScope(ACCOUNT, "container")).pages(None)),
    "check of a queue": lambda _, queue: queue.check(),
    "length": lambda _, queue: queue.length(),
    "send": lambda _, queue: queue.send("text"),
    "receive": lambda _, queue: queue.receive(1, 60),
    "delete": lambda _, queue: queue.delete(MESSAGE),
}


@pytest.mark.parametrize("call", OTHER_CALLS)
def test_nor_does_any_other_request_to_the_account(call: str) -> None:
    with answering(200) as elsewhere, answering(307, f"{elsewhere.url}/stolen") as storage:
        store = BlobStore(storage.connection_string)
        queue = StorageQueue(storage.connection_string, "queue")
        with pytest.raises(StorageUnavailable):
            OTHER_CALLS[call](store, queue)
        assert elsewhere.asked == []
        assert len(storage.asked) == 1
