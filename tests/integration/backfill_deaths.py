"""Backfills and late hashing in processes of their own, which kill themselves at some point."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

from shared.database.pool import Database
from shared.models.backfills import Hashing
from shared.repositories.backfills import BackfillRepository
from shared.storage.inventory import InventoryFile
from shared.storage.queues import StorageQueue
from tests.integration.backfilling import Backfilling, backfilling_over

PAGE_ROWS = 20

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.integration.backfill_deaths"])
_REPOSITORY: Any = BackfillRepository
_QUEUE: Any = StorageQueue


@dataclass(frozen=True)
class Ground:
    """Where a life takes place; all that a process is told."""

    database_url: str
    connection_string: str
    container: str
    inventory: Path


@dataclass(frozen=True)
class Death:
    """Before or after, or while the server works on, the so-manieth call of a method."""

    owner: str
    method: str
    when: str
    call: int

    def prepare(self) -> None:
        owner = {"repository": _REPOSITORY, "queue": _QUEUE}[self.owner]
        real, calls = getattr(owner, self.method), 0

        @wraps(real)
        def dying(subject: Any, *arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls != self.call:
                return real(subject, *arguments, **named)
            if self.when == "while":
                subject._connection.wait = _send_only
            answer = None if self.when == "before" else real(subject, *arguments, **named)
            _die()
            return answer

        setattr(owner, self.method, dying)


def _send_only(waiting: Any, *_: Any, **__: Any) -> None:
    next(waiting)  # it waits for the answer, hence has sent everything
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def live(work: Callable[[Ground], None], ground: Ground, death: Death | None) -> int | None:
    """The exit code of a process that works until it is done, or dies."""
    process = _FORKS.Process(target=_live, args=(work, ground, death), daemon=True)
    process.start()
    process.join(60)
    return process.exitcode


def _live(work: Callable[[Ground], None], ground: Ground, death: Death | None) -> None:
    if death is not None:
        death.prepare()
    work(ground)


def run_backfill(ground: Ground) -> None:
    """Register what the inventory lists, to be hashed later."""
    made = _made(ground)
    listed = InventoryFile(ground.inventory, made.scope, page_rows=PAGE_ROWS)
    made.run(listed, Hashing.LATER)


def hash_all(ground: Ground) -> None:
    """Send what is due, take what was sent, and do so until nothing is left."""
    _made(ground).hash_all()


def _made(ground: Ground) -> Backfilling:
    database = Database(ground.database_url, size=8, timeout_seconds=10)
    return backfilling_over(
        ground.connection_string,
        ground.container,
        database,
        lambda: datetime.now(UTC),
        is_new=False,
    )
