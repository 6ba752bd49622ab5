"""Which bytes were compared with their hashes, and which are to be, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.ids import ArtifactId
from shared.models.integrity import Looks, VerificationResult

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Begun:
    """How many artifacts the scrub went through, and what of these is to be read."""

    seen: int
    artifacts: int
    size_bytes: int


class IntegrityRepository:
    """Every statement about the scrub and what comes of it. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def begin_scrub(self, request: Mapping[str, Any]) -> Begun:
        """Run `registry.begin_scrub`."""
        row = self._one("begin_scrub", {"request": Jsonb(request)})
        return Begun(row["seen"], row["artifacts"], int(row["size_bytes"]))

    def results(self, first_day: date) -> dict[VerificationResult, Looks]:
        """With which results artifacts were looked at since a day (UTC)."""
        rows = self._connection.execute(_QUERIES["results"], {"first_day": first_day}).fetchall()
        return {
            VerificationResult(row["result"]): Looks(
                artifacts=row["artifacts"], size_bytes=int(row["size_bytes"])
            )
            for row in rows
        }

    def oldest_look(self) -> datetime | None:
        """When the artifact that was looked at longest ago was; None where there is none."""
        row = self._connection.execute(_QUERIES["oldest_look"]).fetchone()
        return row["looked_at"] if row else None

    def corrupt(self, limit: int) -> list[ArtifactId]:
        """Artifacts that were found corrupt, the last ones first."""
        rows = self._connection.execute(_QUERIES["corrupt"], {"limit": limit}).fetchall()
        return [row["artifact_id"] for row in rows]

    def waiting(self, most: int) -> int:
        """How many artifacts are to be verified, counted so far at most."""
        return self._one("waiting", {"most": most})["waiting"]

    def id_range(self) -> tuple[UUID, UUID] | None:
        """The lowest and the highest id of an artifact; None where there are no artifacts."""
        row = self._one("id_range", {})
        return (row["lowest"], row["highest"]) if row["lowest"] else None

    def nearest(self, drawn: Sequence[UUID]) -> set[ArtifactId]:
        """Artifacts that follow these ids, but for those of whose bytes nobody knows a place."""
        rows = self._connection.execute(_QUERIES["nearest"], {"drawn": list(drawn)}).fetchall()
        return {row["artifact_id"] for row in rows}

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None  # noqa: S101 - each of these always answers with one row
        return row
