"""How many requests the HTTP API answers, against a FastAPI route that does nothing.

One worker process each for the empty application, the registry on few artifacts, and the registry
on many. The same keep-alive clients measure all of them in turn, so that a ratio compares what
was measured within seconds.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.http_contender import CLIENTS, Busy, Contender
from bench.http_data import filled_registry
from bench.http_load import host_header
from bench.http_requests import Route, empty_route, registry_routes
from bench.http_servers import Server, running_worker
from bench.http_worker import WorkerApp
from bench.ratio import Ratio
from bench.report import Figures, ratio_figures
from bench.rounds import median_seconds
from bench.services import another_database, registry_database

KEPT = 0.8
"""What the larger table should leave of a ratio at the smaller one."""
CLIENT_AHEAD = 2.0
"""How far above the empty route the clients should be, not to be what is measured."""

_SAMPLES = 5_000
"""Artifacts that are asked for in turn."""


@dataclass(frozen=True)
class Effort:
    """How long to measure, on how many artifacts."""

    rounds: int
    round_seconds: float
    few: int
    many: int


FULL = Effort(rounds=15, round_seconds=0.4, few=10_000, many=1_000_000)
QUICK = Effort(rounds=1, round_seconds=0.05, few=200, many=400)


@dataclass(frozen=True)
class Measured:
    """What came of a route; `artifacts` is None where no registry was asked."""

    route: Route
    artifacts: int | None
    rate: float
    """Requests a second: the median of the rounds."""
    busy: Busy


def run(effort: Effort) -> list[Figures]:
    """Measure on an embedded server with fsync on."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-bench-") as directory,
        registry_database(Path(directory) / "postgres") as url,
    ):
        measured = measure(url, effort, Path(directory))
    ratios = [*_of_empty_route(measured), *_kept(measured, effort)]
    title = f"HTTP API: one worker, {CLIENTS} clients, {effort.few:,} and {effort.many:,} artifacts"
    return [ratio_figures(title, ratios), _who_was_busy(measured)]


def measure(server_url: str, effort: Effort, directory: Path) -> list[Measured]:
    """Measure on databases of their own on a server; the workers' logs go into a directory.

    The first two are the client's own limit and the empty route.
    """
    with ExitStack() as running:
        entered = _entered(server_url, effort, directory, running)
        contenders = {
            f"{number}": Contender(route, server, effort.rounds, effort.round_seconds)
            for number, (route, _, server) in enumerate(entered)
        }
        seconds = median_seconds({name: c.run for name, c in contenders.items()}, effort.rounds)
        return [
            Measured(route, artifacts, contender.per_round / seconds[name], contender.watch())
            for (route, artifacts, _), (name, contender) in zip(
                entered, contenders.items(), strict=True
            )
        ]


def _entered(
    server_url: str, effort: Effort, directory: Path, running: ExitStack
) -> list[tuple[Route, int | None, Server]]:
    """Every route with its server, which runs as long as the stack is open."""

    def start(app: WorkerApp, environment: Mapping[str, str] = os.environ) -> Server:
        return running.enter_context(running_worker(app, environment, directory))

    canned, empty = start(WorkerApp.CANNED), start(WorkerApp.EMPTY)
    entered: list[tuple[Route, int | None, Server]] = [
        (empty_route("no application", host_header(canned.url)), None, canned),
        (empty_route("empty route", host_header(empty.url)), None, empty),
    ]
    for artifacts in (effort.few, effort.many):
        url = running.enter_context(another_database(server_url))
        registry = filled_registry(url, artifacts, _SAMPLES)
        server = start(WorkerApp.REGISTRY, registry.environment)
        routes = registry_routes(registry, host_header(server.url))
        entered += [(route, artifacts, server) for route in routes]
    return entered


def _of_empty_route(measured: Sequence[Measured]) -> list[Ratio]:
    canned, empty, *others = measured
    ahead = canned.rate / empty.rate
    first = Ratio("clients alone / empty route", ahead, CLIENT_AHEAD, f"{canned.rate:,.0f}/s")
    return [first, *(_ratio(each, empty) for each in others)]


def _ratio(each: Measured, empty: Measured) -> Ratio:
    name = f"{each.route.name}, {each.artifacts:,} / empty route"
    details = f"{each.rate:,.0f}/s, empty {empty.rate:,.0f}/s"
    return Ratio(name, each.rate / empty.rate, each.route.target, details)


def _kept(measured: Sequence[Measured], effort: Effort) -> list[Ratio]:
    """Both sizes are measured beside the same empty route: the ratio of ratios is that of rates."""
    rates = {(each.route.name, each.artifacts): each.rate for each in measured}
    names = [each.route.name for each in measured if each.artifacts == effort.few]
    return [
        Ratio(
            f"{name}, {effort.many:,} / {effort.few:,}",
            rates[name, effort.many] / rates[name, effort.few],
            KEPT,
            f"{rates[name, effort.many]:,.0f}/s, {rates[name, effort.few]:,.0f}/s",
        )
        for name in names
    ]


def _who_was_busy(measured: Sequence[Measured]) -> Figures:
    rows = [
        (
            each.route.name + (f", {each.artifacts:,}" if each.artifacts else ""),
            f"{each.rate:,.0f}",
            f"{CLIENTS / each.rate * 1000:.1f} ms",
            f"{each.busy.client:.0%}",
            f"{each.busy.worker:.0%}",
        )
        for each in measured
    ]
    columns = ("route", "requests/s", "each takes", "clients' processor", "worker's")
    return Figures(f"Who was busy in a round of {CLIENTS} clients", columns, rows)
