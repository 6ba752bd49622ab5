"""Sends requests to an ASGI application octet by octet: no client library mends what is odd."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The one header of that name; None where there is none."""
        found = [value for given, value in self.headers if given == name]
        assert len(found) < 2, f"{name} is told {len(found)} times"
        return found[0] if found else None

    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self) -> dict[str, Any]:
        """The problem details, after a look at the form that all of them have."""
        assert self.header("content-type") == "application/problem+json", self.body
        told = self.json()
        assert told["status"] == self.status
        assert told["type"].startswith("urn:artifact-registry:problem:")
        assert told["instance"] == f"urn:uuid:{self.header('x-request-id')}"
        assert told["title"]
        assert told["detail"]
        for field in told.get("errors", []):
            assert field["pointer"] == "" or field["pointer"].startswith("/")
            assert field["detail"]
        return told


class Sender:
    """One event loop for all requests; what the application raises is raised here."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner, key: str | None = None) -> None:
        self._app = app
        self._runner = runner
        self._key = [] if key is None else [(b"x-api-key", key.encode())]

    def send(
        self, method: str, target: str, headers: Headers = (), body: bytes | Sequence[bytes] = b""
    ) -> Answer:
        """A body given in parts is sent without its length, as a chunked one is."""
        parts = [body] if isinstance(body, bytes) else list(body)
        length = [(b"content-length", str(len(body)).encode())] if isinstance(body, bytes) else []
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "server": ("registry", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
            "path": unquote(path),  # as a server decodes it: what is no UTF-8 is replaced
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"registry"), *self._key, *length, *headers],
        }
        return self._runner.run(self._exchange(scope, parts))

    async def _exchange(self, scope: dict[str, Any], parts: list[bytes]) -> Answer:
        told: list[Any] = []
        waiting = [
            {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}
            for place, part in enumerate(parts)
        ]

        async def receive() -> dict[str, Any]:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def tell(message: Any) -> None:
            told.append(message)

        await self._app(scope, receive, tell)
        headers = [(name.decode(), value.decode("latin-1")) for name, value in told[0]["headers"]]
        return Answer(told[0]["status"], headers, b"".join(m.get("body", b"") for m in told[1:]))
