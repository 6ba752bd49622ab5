"""What PostgreSQL keeps of the audit trail for good: digests, days and their seals."""

from collections.abc import Sequence
from datetime import date, datetime

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.queries import load_queries
from shared.models.audit_proof import Digest, TrailDay, TrailState
from shared.models.audit_seals import ShardEnd

_QUERIES = load_queries(__file__)


class TrailProofRepository:
    """Every statement about what proves the trail. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def state(self) -> TrailState:
        """Where the trail is now."""
        rows = self._connection.execute(_QUERIES["state"]).fetchall()
        ends = {
            row["shard"]: ShardEnd(row["shard_number"], row["hash"])
            for row in rows
            if row["shard"] is not None
        }
        return TrailState(rows[0]["number"], rows[0]["written"], ends)

    def beyond(self) -> int | None:
        """The first event that has a digest and cannot have its number yet."""
        row = self._connection.execute(_QUERIES["beyond"]).fetchone()
        return None if row is None else row["number"]

    def days(self, first_day: date, last_day: date, most: int) -> list[TrailDay]:
        """Days with events, both of these included."""
        parameters = {"first_day": first_day, "last_day": last_day, "most": most}
        rows = self._connection.execute(_QUERIES["days"], parameters).fetchall()
        return [TrailDay(**row) for row in rows]

    def day_before(self, day: date) -> TrailDay | None:
        """The last day with events before one."""
        row = self._connection.execute(_QUERIES["day_before"], {"day": day}).fetchone()
        return None if row is None else TrailDay(**row)

    def first_unsealed(self) -> TrailDay | None:
        """The oldest day that has no seal."""
        row = self._connection.execute(_QUERIES["first_unsealed"]).fetchone()
        return None if row is None else TrailDay(**row)

    def digests(self, after: int, last: int, most: int) -> list[Digest]:
        """Of the events after one and up to another, in order."""
        parameters = {"after": after, "last": last, "most": most}
        rows = self._connection.execute(_QUERIES["digests"], parameters).fetchall()
        return [Digest(**row) for row in rows]

    def digests_of_shard(self, shard: int, first: int, below: int, most: int) -> list[Digest]:
        """Of a shard's events from one on and below another, newest first."""
        parameters = {"shard": shard, "first": first, "below": below, "most": most}
        rows = self._connection.execute(_QUERIES["digests_of_shard"], parameters).fetchall()
        return [Digest(**row) for row in rows]

    def digests_of(self, numbers: Sequence[int]) -> dict[int, Digest]:
        """By number; those alone that there are."""
        parameters = {"numbers": list(numbers)}
        rows = self._connection.execute(_QUERIES["digests_of"], parameters).fetchall()
        return {row["number"]: Digest(**row) for row in rows}

    def close_day(self, until: datetime) -> None:
        """Let no event be recorded before this any more. Within `TrailRepository.lock_end`."""
        self._connection.execute(_QUERIES["close_day"], {"until": until})

    def keep_seal(self, day: date, seal: str, sealed_at: datetime) -> None:
        """Keep a day's seal, which stays as it is if there is one."""
        parameters = {"day": day, "seal": seal, "sealed_at": sealed_at}
        self._connection.execute(_QUERIES["keep_seal"], parameters)

    def dropped_months(self) -> set[date]:
        """Months whose events are exported and gone, by their first days."""
        rows = self._connection.execute(_QUERIES["dropped_months"]).fetchall()
        return {row["month"] for row in rows}
