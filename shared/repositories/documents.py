"""Documents in PostgreSQL: what all kinds of them have in common."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Json, Jsonb
from pydantic import TypeAdapter

from shared.database.queries import load_queries
from shared.models.documents import Document, Item, UnreadableItem
from shared.models.registrations import Origin

_QUERIES = load_queries(__file__)


class DocumentRepository(Generic[Item]):
    """Every statement about one document; a kind of documents gives those of its tables.

    Never commits.
    """

    queries: Mapping[str, bytes]
    kept: TypeAdapter[list[Item | UnreadableItem]]

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def version(self) -> int:
        """Of what is in force."""
        return self._row("version")["version"]

    def read(self) -> Document[Item]:
        """What is in force, by name."""
        row = self._row("read")
        return Document(row["version"], self.kept.validate_python(row["items"]))

    def get(self, name: str) -> Item | UnreadableItem | None:
        """One item; None if unknown."""
        row = self._connection.execute(self.queries["get"], {"name": name}).fetchone()
        return self.kept.validate_python([row["item"]])[0] if row else None

    def hold(self, given: Sequence[Item]) -> None:
        """Let nobody else change the document until the transaction ends.

        `given` are the items that are to be in force and may not be so yet.
        """
        del given
        self._connection.execute(_QUERIES["limit_waiting"])
        self._connection.execute(self.queries["hold"])

    def keep(self, items: Sequence[Item | UnreadableItem]) -> None:
        """Add items, or replace those of the same names."""
        rows = [self.row_of(item) for item in items]
        self._connection.execute(self.queries["keep"], {"items": Json(rows)})

    def row_of(self, item: Item | UnreadableItem) -> Mapping[str, Any]:
        """What `keep` makes a row of."""
        return item.as_json()

    def remove(self, names: Collection[str]) -> None:
        """Forget items."""
        self._connection.execute(self.queries["remove"], {"names": list(names)})

    def advance(self) -> int:
        """The version that is in force from now on."""
        return self._row("advance")["version"]

    def record_events(
        self, origin: Origin, at: datetime, events: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write into the audit trail, in the transaction of the change itself."""
        parameters = {
            "occurred_at": at,
            "actor": origin.actor,
            "request_id": origin.request_id,
            "events": Jsonb(events),
        }
        self._connection.execute(_QUERIES["record_events"], parameters)

    def _row(self, name: str) -> DictRow:
        row = self._connection.execute(self.queries[name]).fetchone()
        assert row, "the migration put the one row there, and no statement may delete it"  # noqa: S101
        return row
