"""One route under the load of several clients, again and again."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.http_load import Load
from bench.http_requests import Route
from bench.http_servers import Server

CLIENTS = 8

_PROBED = 5
"""Requests of each client before anything is measured."""


@dataclass(frozen=True)
class Busy:
    """Who worked for how much of a round, in processors."""

    client: float
    worker: float


class Contender:
    """As many requests to one route in every round: about what is answered in so many seconds."""

    def __init__(
        self,
        route: Route,
        server: Server,
        rounds: int,
        round_seconds: float,
        clients: int = CLIENTS,
    ) -> None:
        self.route = route
        self._server = server
        self._clients = clients
        self.per_round = self._calibrate(round_seconds)
        self._prepared = [self._requests(self.per_round) for _ in range(rounds + 1)]

    def run(self) -> None:
        """A round: requests that were made beforehand."""
        self._send(self._prepared.pop())

    def watch(self) -> Busy:
        """One more round."""
        began, client, worker = time.perf_counter(), time.process_time(), self._server.cpu_seconds()
        self.run()
        wall = time.perf_counter() - began
        client, worker = time.process_time() - client, self._server.cpu_seconds() - worker
        return Busy(client / wall, worker / wall)

    def _calibrate(self, seconds: float) -> int:
        self._send(self._requests(_PROBED * self._clients))  # pools fill, plans are made
        probe = self._requests(_PROBED * self._clients)
        began = time.perf_counter()
        self._send(probe)
        rate = len(probe) / (time.perf_counter() - began)
        return max(self._clients, int(rate * seconds))

    def _requests(self, count: int) -> list[bytes]:
        return [self.route.make() for _ in range(count)]

    def _send(self, requests: Sequence[bytes]) -> None:
        """On new connections: servers hang up on those that wait for seconds until their turn."""
        with Load(self._server.url, self._clients) as load:
            load.send(requests, self.route.status)
