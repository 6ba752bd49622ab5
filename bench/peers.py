"""How fast artifacts are registered and found by content, beside other registries."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

from bench import peers_chapkit, peers_mlflow
from bench.http_contender import CLIENTS, Contender
from bench.http_data import filled_registry, sampled_hashes
from bench.http_load import Load, host_header, request_bytes
from bench.http_requests import Route, registration_route
from bench.http_servers import ServerFailed, running_worker
from bench.http_worker import WorkerApp
from bench.peer import Asked, Peer, PeerMissing
from bench.ratio import Ratio
from bench.report import Figures, ratio_figures
from bench.rounds import median_seconds
from bench.services import another_database, registry_database

Start = Callable[[ExitStack], Peer]
"""Starts a peer that runs as long as the stack is open; raises PeerMissing."""


@dataclass(frozen=True)
class Effort:
    """How long to measure, on how many artifacts."""

    rounds: int
    round_seconds: float
    artifacts: int


FULL = Effort(rounds=7, round_seconds=0.5, artifacts=100_000)
QUICK = Effort(rounds=1, round_seconds=0.05, artifacts=200)

_OURS = "ours"
_REGISTER = "register"
_FIND = "find by content hash"


def run(effort: Effort) -> list[Figures]:
    """Measure on an embedded server with fsync on, with the peers that can be installed here."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-bench-") as text,
        registry_database(Path(text) / "postgres") as url,
    ):
        directory = Path(text)
        starts: dict[str, Start] = {
            "MLflow": partial(peers_mlflow.start, url, effort.artifacts, directory),
            "chapkit": partial(peers_chapkit.start, directory),
        }
        return measure(url, effort, directory, starts)


def measure(
    server_url: str, effort: Effort, directory: Path, starts: Mapping[str, Start]
) -> list[Figures]:
    """Measure beside the peers that start; of the others it is told why they do not."""
    with ExitStack() as running:
        ours = start_ours(server_url, effort.artifacts, directory, running)
        peers, missing = _started(starts, running)
        answers = _ask(
            [*_questions(ours), *(each for peer in peers for each in _questions(peer))], effort
        )
    ratios = [ratio for peer in peers for ratio in _ratios(answers, peer)]
    title = f"Beside other registries; {effort.artifacts:,} artifacts to be found"
    return [ratio_figures(title, ratios), _every_way(answers, missing)]


def start_ours(server_url: str, artifacts: int, directory: Path, running: ExitStack) -> Peer:
    """The registry itself, one worker process on a database of so many artifacts."""
    url = running.enter_context(another_database(server_url))
    registry = filled_registry(url, artifacts, samples=1)
    environment = registry.environment
    server = running.enter_context(running_worker(WorkerApp.REGISTRY, environment, directory))
    headers = {**host_header(server.url), "X-API-Key": registry.key}
    hashes = cycle(sampled_hashes(artifacts))

    def find() -> bytes:
        path = f"/api/v1/artifacts?content_hash={next(hashes)}&limit=10"
        return request_bytes("GET", path, headers)

    register = Asked(server, registration_route(headers))
    return Peer(_OURS, [register], 1.0, [Asked(server, Route("GET /api/v1/artifacts", find))], 1.0)


@dataclass(frozen=True)
class _Question:
    """What is asked of a registry in one of its ways."""

    kind: str
    peer: str
    clients: int
    asked: Asked


@dataclass(frozen=True)
class _Answer:
    question: _Question
    rate: float
    """Answers a second: the median of the rounds."""


def _questions(peer: Peer) -> list[_Question]:
    return [
        *(_Question(_REGISTER, peer.name, CLIENTS, each) for each in peer.registrations),
        *(_Question(_FIND, peer.name, n, each) for each in peer.searches for n in (1, CLIENTS)),
    ]


def _started(starts: Mapping[str, Start], running: ExitStack) -> tuple[list[Peer], dict[str, str]]:
    """The peers that run, and why the others do not."""
    peers: list[Peer] = []
    missing: dict[str, str] = {}
    for name, start in starts.items():
        try:
            peers.append(start(running))
        except (PeerMissing, ServerFailed) as fault:
            missing[name] = str(fault)
    return peers, missing


def _ask(questions: Sequence[_Question], effort: Effort) -> list[_Answer]:
    contenders = {
        f"{place}": _contender(question, effort) for place, question in enumerate(questions)
    }
    seconds = median_seconds({name: c.run for name, c in contenders.items()}, effort.rounds)
    rates = [contender.per_round / seconds[name] for name, contender in contenders.items()]
    return [_Answer(question, rate) for question, rate in zip(questions, rates, strict=True)]


def _contender(question: _Question, effort: Effort) -> Contender:
    server, route = question.asked.server, question.asked.route
    if question.kind == _FIND:
        with Load(server.url, connections=1) as load:
            assert b"content_hash" in load.ask(route.make()), f"{route.name} finds nothing"
    return Contender(route, server, effort.rounds, effort.round_seconds, question.clients)


def _ratios(answers: Sequence[_Answer], peer: Peer) -> list[Ratio]:
    """Against the best way to ask the peer; by content, the target is for a caller alone."""
    asked: list[tuple[str, int, float | None]] = [(_REGISTER, CLIENTS, peer.register_target)]
    if peer.searches:
        asked += [(_FIND, 1, peer.search_target), (_FIND, CLIENTS, None)]
    return [_ratio(answers, peer.name, *each) for each in asked]


def _ratio(
    answers: Sequence[_Answer], peer: str, kind: str, clients: int, target: float | None
) -> Ratio:
    ours, theirs = (_best(answers, name, kind, clients) for name in (_OURS, peer))
    name = f"{kind}, {clients} client{'s' if clients > 1 else ''} / {peer}"
    details = (
        f"{ours.rate:,.0f}/s, {peer} {theirs.rate:,.0f}/s ({theirs.question.asked.route.name})"
    )
    return Ratio(name, ours.rate / theirs.rate, target, details)


def _best(answers: Sequence[_Answer], peer: str, kind: str, clients: int) -> _Answer:
    wanted = (peer, kind, clients)
    found = [a for a in answers if (a.question.peer, a.question.kind, a.question.clients) == wanted]
    return max(found, key=lambda answer: answer.rate)


def _every_way(answers: Sequence[_Answer], missing: Mapping[str, str]) -> Figures:
    rows = [
        (
            answer.question.peer,
            f"{answer.question.kind}: {answer.question.asked.route.name}",
            f"{answer.question.clients}",
            f"{answer.rate:,.0f}",
            f"{answer.question.clients / answer.rate * 1000:.1f} ms",
        )
        for answer in answers
    ]
    absent = [(name, f"not measured: {reason}", "", "", "") for name, reason in missing.items()]
    columns = ("registry", "way", "clients", "answers/s", "each takes")
    return Figures("Every way that was tried", columns, [*rows, *absent])
