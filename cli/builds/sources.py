"""Where the bytes of an artifact are fetched from: storage with a credential, https, files."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from cli.connection import is_loopback
from cli.exchange import Unreachable
from cli.faults import NOT_ALLOWED, NOT_FOUND, UNAVAILABLE, fail
from cli.misuse import refuse
from cli.regular_files import open_regular

_CHUNK_BYTES = 1024 * 1024
_SECONDS = 60

Bytes = tuple[int | None, Iterator[bytes]]
"""How many there are, where that is known, and they themselves."""


@contextmanager
def opened(path: str) -> Generator[Bytes]:
    """What is stored at a path or URI. Raises Misuse for what this command cannot fetch.

    Ends the command for what is not there; raises Unreachable for what is not to be had now.
    """
    file = _file_of(path)
    if file is not None:
        with _from_file(file) as found:
            yield found
    elif path.startswith(("https://", "http://")):
        with _from_url(path) as found:
            yield found
    else:
        refuse(f"{_plain(path)} is not fetched here: only azure_blob, https:// and files are")


def _file_of(path: str) -> Path | None:
    if path.startswith("/"):
        return Path(path)
    with suppress(ValueError):
        parts = urlsplit(path)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
            return Path(unquote(parts.path))
    return None


@contextmanager
def _from_url(url: str) -> Generator[Bytes]:
    from cli.builds.storage import storage_at_hand  # noqa: PLC0415 - slow, and for this alone

    storage = storage_at_hand()
    blob = storage.named_by(url) if storage else None
    if storage is not None and blob is not None:
        with storage.opened(blob) as found:
            yield found
        return
    with _without_credential(url) as found:
        yield found


@contextmanager
def _without_credential(url: str) -> Generator[Bytes]:
    import httpx  # noqa: PLC0415 - slow, and for this alone

    def stay_private(request: httpx.Request) -> None:
        if request.url.scheme != "https" and not is_loopback(request.url.host):
            refuse(f"{request.url.copy_with(query=None)} is not fetched over http://")

    hooks = {"request": [stay_private]}
    plain = {"Accept-Encoding": "identity"}
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=_SECONDS, event_hooks=hooks) as client,
            client.stream("GET", url, headers=plain) as response,
        ):
            if response.status_code != 200:
                _refuse(url, response.status_code)
            length = response.headers.get("Content-Length", "")
            yield int(length) if length.isdecimal() else None, response.iter_raw(_CHUNK_BYTES)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"{_plain(url)} cannot be fetched: {type(error).__name__}") from error


def _refuse(url: str, status: int) -> NoReturn:
    code = NOT_FOUND if status in {404, 410} else NOT_ALLOWED if status < 429 else UNAVAILABLE
    fail(code, f"{_plain(url)} is not to be had without a credential: HTTP {status}")


def _plain(url: str) -> str:
    return url.partition("?")[0]


@contextmanager
def _from_file(place: Path) -> Generator[Bytes]:
    try:
        with open_regular(place) as file:
            yield os.fstat(file.fileno()).st_size, iter(lambda: file.read(_CHUNK_BYTES), b"")
    except OSError as error:
        if error.filename != str(place):
            raise
        refuse(f"{place} cannot be read: {error.strerror}")
