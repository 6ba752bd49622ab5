"""`python -m bench.http_worker APP PORT`: one server process on loopback, until it is ended.

uvicorn with its defaults and no access log. Started as one process without `--workers`, it leaves
TCP_NODELAY to asyncio, which sets it.
"""

import asyncio
from enum import StrEnum

import typer
import uvicorn
from fastapi import FastAPI

from devhost.stack.ports import LOOPBACK


class WorkerApp(StrEnum):
    """What is served."""

    REGISTRY = "registry"
    EMPTY = "empty"
    """A FastAPI application whose one route does nothing."""
    CANNED = "canned"
    """One answer for whatever arrives, read by no one: shows what the client is capable of."""


EMPTY_PATH = "/empty"
_CANNED = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-type: application/json\r\n\r\nnull"


def main(app: WorkerApp, port: int) -> None:
    """Serve."""
    if app is WorkerApp.CANNED:
        asyncio.run(_serve_canned(port))
    else:
        served = _empty_app() if app is WorkerApp.EMPTY else _registry_app()
        uvicorn.run(served, host=LOOPBACK, port=port, access_log=False, log_level="warning")


def _registry_app() -> FastAPI:
    from functions.http.app import build_app  # noqa: PLC0415 - the empty app does without
    from shared import bootstrap  # noqa: PLC0415 - likewise

    return build_app(bootstrap.registry)


def _empty_app() -> FastAPI:
    app = FastAPI()

    async def empty() -> None:
        pass

    app.get(EMPTY_PATH)(empty)
    return app


class _Canned(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Every request of the client arrives in one piece."""
        del data
        self._transport.write(_CANNED)


async def _serve_canned(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Canned, LOOPBACK, port)
    await server.serve_forever()


if __name__ == "__main__":
    typer.run(main)
