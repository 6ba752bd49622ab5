"""Calls an ASGI application as an HTTP client does; what the application raises is raised here."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI


class Caller:
    def __init__(self, app: FastAPI, key: str | None = None) -> None:
        self._app = app
        self._key = key

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        given = dict(headers or {}) | ({"X-API-Key": self._key} if self._key else {})
        return asyncio.run(self._call(method, path, headers=given, **options))

    async def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            return await client.request(method, path, **options)


def problem(response: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The answer's problem details, after a look at what all of them have in common."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["type"] == f"urn:artifact-registry:problem:{name}"
    assert told["status"] == status
    assert told["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
    assert told["title"]
    assert told["detail"]
    return told


def pointers(told: Mapping[str, Any]) -> list[str]:
    return [field["pointer"] for field in told["errors"]]
