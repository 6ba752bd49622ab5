"""Another registry, for comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.http_requests import Route
from bench.http_servers import Server


class PeerMissing(Exception):
    """The peer cannot be installed or started here; the text says why."""


@dataclass(frozen=True)
class Asked:
    """A route and the server that is asked for it."""

    server: Server
    route: Route


@dataclass(frozen=True)
class Peer:
    """Servers that run, each way to ask them, and how far ahead of the best way ours should be."""

    name: str
    registrations: Sequence[Asked]
    register_target: float
    searches: Sequence[Asked] = ()
    """By content hash, each of which finds one."""
    search_target: float = 0.0
