"""Many clients of the registry's own services, each with a connection of its own."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from functions.http.rule_bodies import RULE
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.artifacts import ArtifactRegistration
from shared.models.holds import HoldRequest
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.models.rules import IngestionRule
from shared.services.artifact_service import ArtifactService
from tests.integration.clock import TickingClock
from tests.integration.http.conftest import build_registry
from tests.integration.registering import hash_of

ORIGIN = Origin("test")
_PATIENCE = 60.0


@dataclass(frozen=True)
class Message:
    """Something to register, which may be delivered any number of times."""

    registration: ArtifactRegistration
    artifact_id: UUID


def message(client_type: str, number: int, assets: int) -> Message:
    """A new artifact of one of so many assets."""
    artifact_id = new_id()
    registration = ArtifactRegistration(
        client_type=client_type,
        client_refs={"asset": number % assets},
        overwrite=True,
        content_hash=hash_of(str(artifact_id)),
        size_bytes=1,
    )
    return Message(registration, artifact_id)


class Clients:
    """As many threads as there are connections, and questions of an event loop beside them."""

    def __init__(self, url: str, *, threads: int, questions: int = 0) -> None:
        self.database = Database(url, size=threads, timeout_seconds=_PATIENCE)
        self.registry = build_registry(
            self.database, ArtifactService(self.database, TickingClock())
        )
        self._threads = threads
        self._questions = questions

    def run(self, work: Callable[[Registry, int], None], *, beside: Callable[[], None]) -> None:
        """Every client works once all are connected, and something else is done beside them."""
        start = threading.Barrier(self._threads + 1, timeout=_PATIENCE)

        def begin(number: int) -> None:
            with self.database.connection():
                start.wait()
            work(self.registry, number)

        key = self.registry.keys.create("anybody", []).text
        with ThreadPoolExecutor(self._threads) as threads:
            working = [threads.submit(begin, number) for number in range(self._threads)]
            start.wait()
            beside()
            asyncio.run(self._ask(key))
            for each in working:
                each.result()

    async def _ask(self, key: str) -> None:
        for _ in range(2):  # the second time through connections that are open
            asked = (
                self.registry.keys.authenticate_with_artifacts(key, [])
                for _ in range(self._questions)
            )
            callers = [caller for caller, _ in await asyncio.gather(*asked)]
            assert len({caller.actor for caller in callers}) <= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()


def change(registry: Registry, number: int, artifact_id: UUID) -> None:
    """One of what keeps locks, limits and settings for a transaction."""
    match number % 20:
        case 0:
            hold = registry.holds.place(HoldRequest(artifact_id=artifact_id, reason="x"), ORIGIN)
            registry.holds.release(hold.hold_id, ORIGIN)
        case 4:
            rule = IngestionRule.model_validate(RULE | {"name": f"rule-{number}"})
            registry.rules.put(rule, ORIGIN)
        case 8:
            registry.artifacts.fold_changes()
        case 12:
            registry.audit.relay.number_some()
        case 16:
            registry.artifacts.update_metadata(artifact_id, {"number": number}, ORIGIN)
        case _:
            pass
