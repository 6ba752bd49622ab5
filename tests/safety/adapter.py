"""Has the library `requests` ask an application in this process, and in this thread."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from tests.safety.sender import Sender

_SENT_ANYWAY = {"content-length", "host"}


class SenderAdapter(HTTPAdapter):
    """Instead of the network."""

    def __init__(self, sender: Sender) -> None:
        super().__init__()
        self._sender = sender

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        given: Mapping[str, str | bytes] = request.headers
        headers = [
            (name.lower().encode("latin-1"), _octets(text, "latin-1"))
            for name, text in given.items()
            if name.lower() not in _SENT_ANYWAY
        ]
        body = _octets(request.body or b"", "utf-8")
        answer = self._sender.send(request.method or "GET", request.path_url, headers, body)
        raw = HTTPResponse(
            body=BytesIO(answer.body),
            headers=HTTPHeaderDict(answer.headers),
            status=answer.status,
            version=11,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


def _octets(text: Any, encoding: str) -> bytes:
    octets = text.encode(encoding) if isinstance(text, str) else text
    assert isinstance(octets, bytes)
    return octets


def session_of(sender: Sender) -> Session:
    """All that is asked in it goes to the sender; what the machine says of proxies does not count.

    Looking for that takes longer than many an answer.
    """
    session = Session()
    session.trust_env = False
    session.mount("http://", SenderAdapter(sender))
    return session
