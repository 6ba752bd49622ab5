"""Lists of artifacts in PostgreSQL."""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.artifacts import Artifact
from shared.models.listings import ArtifactFilter, ArtifactSort, Position
from shared.repositories.records import read_artifacts

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class ListPage:
    """Some artifacts of a list; `next` is None where no others can come behind them."""

    artifacts: list[Artifact]
    next: Position | None


class ListRepository:
    """Every statement about lists. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def page(
        self, wanted: ArtifactFilter, sort: ArtifactSort, *, after: Position | None, limit: int
    ) -> ListPage:
        """At most `limit` artifacts, beginning behind `after`."""
        request = wanted.model_dump(mode="json", exclude_none=True) | {
            "is_by_update": sort.is_by_update,
            "is_descending": sort.is_descending,
            "after_at": after.at.isoformat() if after else None,
            "after_id": str(after.artifact_id) if after else None,
            "most": limit,
        }
        rows = self._connection.execute(_QUERIES["page"], {"request": Jsonb(request)}).fetchall()
        artifacts = read_artifacts([row for row in rows if row["artifact"]])
        goes_on = rows[0]["next_id"] is not None
        return ListPage(
            artifacts, Position(rows[0]["next_at"], rows[0]["next_id"]) if goes_on else None
        )
