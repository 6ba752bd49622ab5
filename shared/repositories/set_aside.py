"""Messages set aside, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.attempts import Doing
from shared.models.ids import repeatable_id
from shared.models.registrations import Origin
from shared.models.set_aside import (
    Failure,
    FailureDetail,
    FailureFilter,
    FailureState,
    Message,
    Replay,
)

_QUERIES = load_queries(__file__)
_END = ("infinity", UUID(int=2**128 - 1))
"""Behind everything."""


class SetAsideRepository:
    """Every statement about messages set aside. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def add(
        self,
        set_aside_id: UUID,
        message: Message,
        *,
        reason: str,
        explanation: str,
        at: datetime,
    ) -> bool:
        """Keep a message, once; True where it was not kept before, or had ended.

        To be called in a transaction.
        """
        parameters = {
            "set_aside_id": set_aside_id,
            "source": message.source,
            "body": message.body,
            "reason": reason,
            "explanation": explanation,
            "delivery_id": message.delivery_id,
            "set_aside_at": at,
        }
        before = self._one("hold", {"set_aside_id": set_aside_id})
        kept = self._one("set_aside", parameters)
        if kept is None:
            return False
        return kept["is_new"] or (before is not None and FailureState(before["state"]).is_end)

    def get(self, set_aside_id: UUID) -> FailureDetail | None:
        """One message with its body; None if unknown."""
        row = self._one("get", {"set_aside_id": set_aside_id})
        return FailureDetail.of(Failure.model_validate(row), row["body"]) if row else None

    def page(
        self, wanted: FailureFilter, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[Failure]:
        """Messages set aside before this place in the list, or all of them, newest first."""
        before_at, before_id = before or _END
        parameters = {
            "state": wanted.state,
            "source": wanted.source,
            "reason": wanted.reason,
            "before_at": before_at,
            "before_id": before_id,
            "limit": limit,
        }
        rows = self._connection.execute(_QUERIES["page"], parameters).fetchall()
        return [Failure.model_validate(row) for row in rows]

    def count_open(self, most: int) -> int:
        """How many messages nobody dealt with yet, at most so many."""
        row = self._one("count_open", {"most": most})
        return row["messages"] if row else 0

    def mark_asked(self, failures: Sequence[Failure]) -> None:
        """Say that a replay was asked for, except where somebody was faster."""
        parameters = {
            "set_aside_ids": [each.set_aside_id for each in failures],
            "replays": [each.replays for each in failures],
        }
        self._connection.execute(_QUERIES["mark_asked"], parameters)

    def begin_replay(self, set_aside_id: UUID, source: str, at: datetime) -> Replay | None:
        """What is to be taken again; None where it has ended, or is not of this source."""
        parameters = {"set_aside_id": set_aside_id, "source": source, "at": at}
        row = self._one("begin_replay", parameters)
        if row is None:
            return None
        # Rows of earlier versions, and poisoned ones, do not tell of the message's own delivery.
        delivery_id = row["delivery_id"] or repeatable_id(str(set_aside_id), row["set_aside_at"])
        return Replay(set_aside_id, row["arrivals"], Message(source, row["body"], delivery_id))

    def knows(self, set_aside_id: UUID, source: str) -> bool:
        """Whether such a message from this source was ever set aside."""
        row = self._one("knows", {"set_aside_id": set_aside_id, "source": source})
        return row is not None and row["is_known"]

    def open_again(
        self,
        set_aside_id: UUID,
        source: str,
        arrivals: int | None,
        *,
        reason: str,
        explanation: str,
    ) -> bool:
        """Leave a message to be mended further; `arrivals` is that of the replay, if known.

        False where that is not this replay's to say any more.
        """
        parameters = {
            "set_aside_id": set_aside_id,
            "source": source,
            "arrivals": arrivals,
            "reason": reason,
            "explanation": explanation,
        }
        return self._one("open_again", parameters) is not None

    def end_replay(self, replay: Replay, at: datetime, actor: str) -> bool:
        """Close a message that was of use; False where another did, or it was set aside anew."""
        parameters = {
            "set_aside_id": replay.set_aside_id,
            "arrivals": replay.arrivals,
            "at": at,
            "actor": actor,
        }
        return self._one("end_replay", parameters) is not None

    def discard(self, set_aside_id: UUID, at: datetime, actor: str) -> bool:
        """Close a message that nobody needs; False where it has ended already."""
        parameters = {"set_aside_id": set_aside_id, "at": at, "actor": actor}
        return self._one("discard", parameters) is not None

    def record_events(
        self, operation: str, set_aside_ids: Sequence[UUID], origin: Origin, at: datetime
    ) -> None:
        """Write into the audit trail, in the transaction of the change itself."""
        parameters = {
            "operation": operation,
            "set_aside_ids": list(set_aside_ids),
            "at": at,
            "actor": origin.actor,
            "request_id": origin.request_id,
        }
        self._connection.execute(_QUERIES["record_events"], parameters)

    def record_failure(
        self, doing: Doing, set_aside_id: UUID, origin: Origin, at: datetime
    ) -> None:
        """Likewise of what came to nothing, for the reason that the message has now."""
        parameters = {
            "set_aside_id": set_aside_id,
            "operation": doing.operation,
            "action": doing.action,
            "at": at,
            "actor": origin.actor,
            "request_id": origin.request_id,
        }
        self._connection.execute(_QUERIES["record_failure"], parameters)

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow | None:
        return self._connection.execute(_QUERIES[name], parameters).fetchone()
