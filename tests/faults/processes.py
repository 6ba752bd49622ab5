"""Workers that are processes of their own, so that they can be killed, and looked at from outside.

They are forked from one server that has imported everything: a start takes milliseconds.
"""

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

from devhost.host.queue_pump import VISIBILITY
from tests.faults.places import Place
from tests.faults.worker import AT_ONCE, Take, taking_events, working

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "tests.faults.processes",
        "tests.faults.killing",
        "tests.faults.policy_killing",
        "tests.faults.retention_killing",
        "tests.faults.scrub_killing",
        "tests.faults.trail_killing",
    ]
)
ENDING_SECONDS = 30


def start(run: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process that runs a function of a module."""
    process = _FORKS.Process(target=run, args=arguments, daemon=True)
    process.start()
    return process


def work_on(place: Place, batch_size: int = AT_ONCE, visibility: timedelta = VISIBILITY) -> None:
    """Take messages about blobs until somebody ends this process."""
    with place.ingestion() as service:
        keep_taking(place, taking_events(service, place), batch_size, visibility)


def keep_taking(place: Place, take: Take, batch_size: int, visibility: timedelta) -> None:
    """Take messages until somebody ends this process."""
    with working(place, take, batch_size, visibility):
        _FORKS.Event().wait()


def die_at(point: str, run: Callable[..., None], *arguments: Any) -> None:
    """Have a process come to a point, which it is told last, and die there, of nothing else."""
    process = start(run, *arguments, point)
    process.join(ENDING_SECONDS)
    code = process.exitcode
    end(process)
    assert code == -signal.SIGKILL, f"{point}: {code}"


@contextmanager
def workers(place: Place, count: int) -> Generator[Sequence[BaseProcess]]:
    """So many of them, while the block runs."""
    with ExitStack() as ending:
        processes = [start(work_on, place) for _ in range(count)]
        for process in processes:
            ending.callback(end, process)
        yield processes
        assert all(process.is_alive() for process in processes), "a worker ended by itself"


def end(process: BaseProcess) -> None:
    """Kill it, if need be, and wait for its end."""
    process.kill()
    process.join(ENDING_SECONDS)
