"""The audit trail's end in PostgreSQL: events that wait, and digests of those that are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.audit import KeptEvent, WrittenEvent, event_hash
from shared.models.registrations import Origin

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class TrailEnd:
    """The last event that has a number: 0 where none has."""

    number: int
    recorded_at: datetime | None


class TrailRepository:
    """Every statement about events that were not written into the table yet. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def end(self) -> TrailEnd:
        """Where the trail ends at the moment."""
        row = self._one("end")
        return TrailEnd(row["number"], row["recorded_at"])

    def lock_end(self) -> TrailEnd:
        """Where the trail ends. Nobody else numbers events before this transaction ends."""
        self._connection.execute(_QUERIES["limit_waiting"])
        row = self._one("lock_end")
        return TrailEnd(row["number"], row["recorded_at"])

    def take_end(self) -> TrailEnd | None:
        """The same without waiting; None where somebody else has it."""
        row = self._connection.execute(_QUERIES["take_end"]).fetchone()
        return None if row is None else TrailEnd(row["number"], row["recorded_at"])

    def shard_ends(self) -> dict[int, bytes]:
        """Hash of the last event of each shard that has one."""
        rows = self._connection.execute(_QUERIES["shard_ends"]).fetchall()
        return {row["shard"]: row["hash"] for row in rows}

    def next_events(self, most: int, most_bytes: int) -> list[WrittenEvent]:
        """Events that have no number yet, in the order of commits; fewer where they are large."""
        parameters = {"most": most, "most_bytes": most_bytes}
        rows = self._connection.execute(_QUERIES["next_events"], parameters).fetchall()
        return [WrittenEvent(**row) for row in rows]

    def number_events(self, events: Sequence[dict[str, Any]]) -> None:
        """Give events their place: see registry.number_events."""
        self._connection.execute(_QUERIES["number_events"], {"events": Jsonb(events)})

    def begin_writing(self, now: datetime, busy_until: datetime) -> bool:
        """Whether nobody else writes; they are kept from it until then."""
        parameters = {"now": now, "busy_until": busy_until}
        return (
            self._connection.execute(_QUERIES["begin_writing"], parameters).fetchone() is not None
        )

    def end_writing(self) -> None:
        """Let others write."""
        self._connection.execute(_QUERIES["end_writing"])

    def waiting(self, most: int, most_bytes: int) -> list[KeptEvent]:
        """Events that are numbered and not written, in order; fewer where they are large."""
        parameters = {"most": most, "most_bytes": most_bytes}
        rows = self._connection.execute(_QUERIES["waiting"], parameters).fetchall()
        return [KeptEvent.read(row["event"]) for row in rows]

    def forget_waiting(self, numbers: Sequence[int]) -> None:
        """Say that events are written."""
        self._connection.execute(_QUERIES["forget_waiting"], {"numbers": list(numbers)})

    def record_recovery(self, at: datetime, origin: Origin, details: dict[str, Any]) -> None:
        """Say that the database knows again what was in the table."""
        parameters = {"occurred_at": at, "details": Jsonb(details), **origin.as_json()}
        self._connection.execute(_QUERIES["record_recovery"], parameters)

    def behind(self, most: int) -> tuple[int, datetime | None]:
        """How many events wait, of at most twice so many, and since when the oldest does."""
        row = self._one("behind", most=most)
        return row["waiting"], row["since"]

    def _one(self, name: str, **parameters: Any) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None, name  # noqa: S101 - these always answer
        return row


def numbered_event(kept: KeptEvent, written: WrittenEvent | None) -> dict[str, Any]:
    """An event as registry.number_events takes it, and where the outbox has it, if it does."""
    event = kept.event
    return {
        "commit_number": None if written is None else written.commit_number,
        "position": None if written is None else written.position,
        "occurred_at": event.time.isoformat(),
        "number": event.number,
        "event_id": str(event.event_id),
        "recorded_at": event.recorded_at.isoformat(),
        "shard": event.shard,
        "artifact_id": None if event.artifact_id is None else str(event.artifact_id),
        "hash": event_hash(kept.canonical.encode()).hex(),
        "event": kept.canonical,
    }
