"""Holds in PostgreSQL."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.holds import Hold

_QUERIES = load_queries(__file__)


class HoldRepository:
    """Every statement about holds. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def place(self, request: Mapping[str, Any]) -> tuple[str, Hold | None]:
        """Run `registry.place_hold`: what came of it, and the hold where it was placed."""
        row = self._row("place", {"request": Jsonb(request)})
        assert row is not None  # noqa: S101 - the function always answers with one row
        return row.pop("outcome"), _hold(row)

    def release(self, request: Mapping[str, Any]) -> Hold | None:
        """Run `registry.release_hold`: the hold after; None if unknown."""
        return _hold(self._row("release", {"request": Jsonb(request)}))

    def get(self, hold_id: UUID) -> Hold | None:
        """One hold; None if unknown."""
        return _hold(self._row("get", {"hold_id": hold_id}))

    def page(self, before_id: UUID, limit: int, *, with_released: bool) -> list[Hold]:
        """Holds with lower ids, newest first."""
        name = "page" if with_released else "unreleased_page"
        parameters = {"before_id": before_id, "limit": limit}
        rows = self._connection.execute(_QUERIES[name], parameters).fetchall()
        return [Hold.model_validate(row) for row in rows]

    def _row(self, name: str, parameters: Mapping[str, Any]) -> DictRow | None:
        return self._connection.execute(_QUERIES[name], parameters).fetchone()


def _hold(row: DictRow | None) -> Hold | None:
    return Hold.model_validate(row) if row and row["hold_id"] else None
