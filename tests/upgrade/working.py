"""What a registry does all day, by whichever code comes first on the path: two releases run it.

Run by itself, with the database's URL and a name. It works until its input ends, and then tells
what it did, and whose code it ran.
"""

import hashlib
import json
import sys
from collections import Counter
from datetime import UTC, datetime
from threading import Event, Thread

from psycopg.errors import DatatypeMismatch

import shared
from shared.database.pool import Database
from shared.errors import Retryable
from shared.models.content_hash import parse_content_hash
from shared.services.artifact_service import ArtifactService

CONTESTED = {"name": "contested"}
_FOLD_EVERY = 5


class Working:
    """One process: registers what others register too, and what is its own."""

    def __init__(self, service: ArtifactService, name: str) -> None:
        self._service = service
        self._name = name
        self.done = Counter[str]()

    def work(self, turn: int) -> None:
        """One turn; raises a Retryable where the database keeps it waiting for too long."""
        content = hashlib.sha256(f"{self._name} {turn}".encode()).hexdigest()
        contested = self._service.create_artifact(
            client_type="upgrade",
            client_refs=CONTESTED,
            content_hash=parse_content_hash(content),
            size_bytes=turn,
            overwrite=True,
        )
        self.done["contested"] += 1
        own = self._service.create_artifact(
            client_type="upgrade", client_refs={"name": self._name, "turn": turn}
        )
        self.done["own"] += 1
        self._service.update_metadata(own.artifact_id, {"turn": turn})
        self._service.mark_archived(own.artifact_id)
        if turn % 2:
            self._service.mark_deleted(own.artifact_id)
            self.done["deleted"] += 1
        assert self._service.get_by_id(contested.artifact_id).size_bytes == turn
        assert self._service.get_supersession_chain(contested.artifact_id)
        if turn % _FOLD_EVERY == 0:
            self._service.fold_changes()
            assert self._service.get_stats("upgrade")


def _run(url: str, name: str) -> None:
    ended = Event()
    Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    working = Working(ArtifactService(Database(url, size=2, timeout_seconds=30), _now), name)
    turn = 0
    while not ended.is_set():
        turn += 1
        try:
            working.work(turn)
        except Retryable:
            working.done["to be repeated"] += 1
        except DatatypeMismatch:
            working.done["given up"] += 1
        if turn == 1:
            sys.stderr.write("working\n")
            sys.stderr.flush()
    sys.stdout.write(json.dumps({"code": shared.__file__, **working.done}))


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    _run(*sys.argv[1:])
