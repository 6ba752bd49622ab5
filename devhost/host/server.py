"""One running host: the HTTP server, the listeners and the worker, from start to stop."""

import asyncio
import contextlib
import hashlib
import logging
import socket
from collections.abc import Callable, Generator, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from devhost.host.errors import AddressUnavailable
from devhost.host.host_config import read_host_config
from devhost.host.http import HttpApp
from devhost.host.indexing import Index, index_app
from devhost.host.invoke import WorkerInvoker
from devhost.host.listeners import Listener, Listeners, build_listeners
from devhost.host.outputs import QueueSender
from devhost.host.report import describe
from devhost.host.routes import RouteTable, build_routes
from devhost.host.settings import apply_local_settings, read_local_settings
from devhost.host.storage import StorageConnections
from devhost.host.worker import Worker, thread_count

STOP_SECONDS = 1.5
"""How long a stop waits for what runs; then it is a kill, as on Azure."""

Announce = Callable[[str], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HostOptions:
    """What to run, and where it listens."""

    app: Path
    port: int
    host: str = "127.0.0.1"
    settings: Path | None = None
    """Instead of `local.settings.json` in the app's folder, which need not exist."""


async def serve(
    options: HostOptions,
    environment: MutableMapping[str, str],
    stopping: asyncio.Event,
    announce: Announce,
) -> None:
    """Runs the app until `stopping` is set. Raises `HostError` when it cannot start."""
    with (
        contextlib.closing(bind(options)) as listening,
        contextlib.closing(StorageConnections(environment)) as connections,
    ):
        _apply_settings(options, environment)
        config = read_host_config(options.app, environment)
        logging.getLogger("devhost").setLevel(config.logging.level)
        index = index_app(options.app, environment, config.functions)
        with Worker(thread_count(environment)) as worker:
            sender = QueueSender(connections, config.extensions.queues)
            invoker = WorkerInvoker(worker, sender, config.function_timeout)
            listeners = build_listeners(
                index.functions, connections, invoker, config, _host_id(options.app, environment)
            )
            routes = build_routes(index.functions, config.extensions.http.route_prefix)
            url = "http://{}:{}".format(*listening.getsockname()[:2])
            _announce_functions(index, routes, listeners, url, announce)
            server = _Server(HttpApp(routes, invoker), lambda: announce(f"ready on {url}"))
            await _run(server, listening, listeners.listeners, stopping)


def _apply_settings(options: HostOptions, environment: MutableMapping[str, str]) -> None:
    path = options.settings or options.app / "local.settings.json"
    if options.settings or path.exists():
        apply_local_settings(read_local_settings(path), environment)


def bind(options: HostOptions) -> socket.socket:
    """A listening socket: what connects before the host is ready waits.

    Raises `AddressUnavailable`.
    """
    # asyncio turns Nagle's algorithm off only where the protocol is spelled out; with it, every
    # response that is written in two parts would take 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
        listening.listen()
    except OSError as fault:
        listening.close()
        raise AddressUnavailable(
            f"cannot listen on {options.host}:{options.port}: {fault.strerror}"
        ) from fault
    return listening


def _host_id(app: Path, environment: MutableMapping[str, str]) -> str:
    """Names this app's own state in the storage account; at most 32 characters, as on Azure."""
    digest = hashlib.sha256(str(app).encode()).hexdigest()
    return environment.get("AzureFunctionsWebHost__hostid", f"devhost-{digest[:20]}")


def _announce_functions(
    index: Index, routes: RouteTable, listeners: Listeners, url: str, announce: Announce
) -> None:
    reasons = {**index.skipped, **routes.refused, **listeners.refused}
    for function in index.functions:
        if function.name not in reasons:
            announce(describe(function, routes, url))
    for name, reason in reasons.items():
        _log.warning("%s does not run: %s", name, reason)


async def _run(
    server: "_Server",
    listening: socket.socket,
    listeners: Sequence[Listener],
    stopping: asyncio.Event,
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    tasks = {asyncio.create_task(_run_listener(listener, stopping)) for listener in listeners}
    await stopping.wait()
    server.should_exit = True
    await asyncio.wait({serving, *tasks}, timeout=STOP_SECONDS)


async def _run_listener(listener: Listener, stopping: asyncio.Event) -> None:
    try:
        await listener.run(stopping)
    except Exception:  # noqa: BLE001 - a fault of one listener must not stop the others
        _log.exception("%s ended: its functions run no more", type(listener).__name__)


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to `__main__` and tells when it accepts connections."""

    def __init__(self, app: HttpApp, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                http="h11",
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()
