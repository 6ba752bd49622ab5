"""What fails and is replayed: queues of a test's own, who takes their messages, and deaths."""

import functools
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.blobs import BlobReference
from shared.models.ids import repeatable_id
from shared.models.set_aside import FailureFilter
from shared.services.artifact_service import ArtifactService
from shared.services.failures import FailureService
from shared.services.ingestion import IngestionService
from shared.services.poison_queues import PoisonQueues
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore
from shared.storage.queues import ReceivedMessage, StorageQueue
from tests.integration.clock import TickingClock
from tests.integration.messages import ORIGIN, over


class OwnQueue(StorageQueue):
    """Tells what it handed out, so that a test need not wait until that is visible again."""

    def __init__(self, connection_string: str, name: str) -> None:
        super().__init__(connection_string, name)
        self.client = QueueClient.from_connection_string(connection_string, name)
        self._handed_out: list[ReceivedMessage] = []

    def receive(self, most: int, hidden_seconds: int) -> list[ReceivedMessage]:
        received = super().receive(most, hidden_seconds)
        self._handed_out += received
        return received

    def release(self) -> None:
        """Let time pass: what was received and not deleted is visible again."""
        for message in self._handed_out:
            try:
                self.client.update_message(
                    message.message_id, message.receipt, visibility_timeout=0
                )
            except ResourceNotFoundError:
                continue
        self._handed_out.clear()

    @property
    def waiting(self) -> int:
        return self.client.get_queue_properties().approximate_message_count or 0


@contextmanager
def own_queue_of(storage: str, name: str) -> Generator[OwnQueue]:
    """A queue that is made, and removed in the end."""
    queue = OwnQueue(storage, name)
    queue.client.create_queue()
    yield queue
    queue.client.delete_queue()


@dataclass(frozen=True)
class Plant:
    """Two queues and their poison queues, the registry that takes them, and an operator."""

    ingestion: IngestionService
    set_aside: SetAsideService
    failures: FailureService
    poison_queues: PoisonQueues
    queues: dict[str, OwnQueue]
    poison: dict[str, OwnQueue]
    events: str
    registrations: str

    def work(self) -> None:
        """Take every message that waits, those of dead workers as well; deleted when it is done."""
        for name, queue in self.queues.items():
            queue.release()
            while batch := queue.receive(1, 60):
                self._take(name, batch[0])
                queue.delete(batch[0])

    def drain(self) -> int:
        """A run of the timer, after whatever another one had in hand is visible again."""
        for queue in self.poison.values():
            queue.release()
        return self.poison_queues.drain(60.0)

    def open_ids(self, **wanted: Any) -> list[UUID]:
        found = self.failures.list_failures(FailureFilter(**wanted))
        return [failure.set_aside_id for failure in found.failures]

    def _take(self, name: str, message: ReceivedMessage) -> None:
        if name == self.events:
            for text in self.ingestion.take_blob_events(name, message.body, ORIGIN):
                self.queues[name].send(text)
        else:
            artifact_id = repeatable_id(f"{name}/{message.message_id}", message.inserted_at)
            self.ingestion.take_registration(name, message.body, ORIGIN, artifact_id)


@contextmanager
def plant_of(
    name: str,
    azurite: Azurite,
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
) -> Generator[Plant]:
    storage = azurite.connection_string
    events, registrations = names = f"{name}-e", f"{name}-r"
    with ExitStack() as closing:
        queues, poison = (
            {each: closing.enter_context(own_queue_of(storage, each + ending)) for each in names}
            for ending in ("", "-poison")
        )
        set_aside = SetAsideService(database, clock)
        yield Plant(
            ingestion=over(BlobStore(storage), database, artifacts, clock, queues=queues),
            set_aside=set_aside,
            failures=FailureService(database, clock, queues),
            poison_queues=PoisonQueues(poison, set_aside),
            queues=queues,
            poison=poison,
            events=events,
            registrations=registrations,
        )


def unhashed(blob: BlobReference) -> bytes:
    """A registration that counts each time that it is taken for another one."""
    return json.dumps(
        {
            "client_type": "ddh",
            "client_refs": {"path": blob.path},
            "storage_account": blob.account,
            "container": blob.container,
            "blob_path": blob.path,
            "overwrite": True,
            "register_unchanged": True,
        }
    ).encode()


def rows(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute("SELECT * FROM registry.set_aside_messages ORDER BY set_aside_at").fetchall()


def audited(sql: psycopg.Connection[DictRow]) -> list[str]:
    """What was done about messages, in order."""
    found = sql.execute(
        "SELECT operation FROM registry.outbox"
        " WHERE operation LIKE 'message%' AND success ORDER BY position"
    )
    return [row["operation"] for row in found]


class Killed(BaseException):
    """The process ends here; nothing of it runs on."""


class Deaths:
    """Ends what runs at the n-th of all the moments before and after these steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *steps: tuple[type, str]) -> None:
        self._left: int | None = None
        for owner, name in steps:
            monkeypatch.setattr(owner, name, self._mortal(getattr(owner, name)))

    def each(self, run: Callable[[], object], every: int = 1) -> Iterator[int]:
        """Run until it dies at the first moment, then at the second, or a later one, and so on."""
        moment = 0
        while True:
            self._left = moment
            try:
                run()
            except Killed:
                self._left = None
                yield moment
                moment += every
            else:
                self._left = None
                return

    def _mortal(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def take(*given: Any, **named: Any) -> Any:
            self._pass()
            result = step(*given, **named)
            self._pass()
            return result

        return take

    def _pass(self) -> None:
        if self._left is None:
            return
        if self._left == 0:
            raise Killed
        self._left -= 1
