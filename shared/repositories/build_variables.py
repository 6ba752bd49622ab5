"""Variables of builds in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.build_variables import BuildVariable

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class HeldVariable:
    """What is known before a variable is set: of itself, and of the build's others."""

    is_known: bool
    """Whether there is the build."""
    is_sensitive: bool
    others: int
    other_bytes: int


class BuildVariableRepository:
    """Every statement about variables. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def hold(self, build_id: UUID, name: str) -> HeldVariable:
        """Run `registry.hold_variable`: nobody else changes the build then."""
        return HeldVariable(**self._one("hold", {"build_id": build_id, "name": name}))

    def put(self, request: Mapping[str, Any]) -> BuildVariable:
        """Run `registry.put_variable`: the variable after."""
        return BuildVariable.model_validate(self._one("put", {"request": Jsonb(request)}))

    def remove(self, request: Mapping[str, Any]) -> str:
        """Run `registry.remove_variable`: what came of it."""
        return self._one("remove", {"request": Jsonb(request)})["outcome"]

    def of_build(self, build_id: UUID) -> list[BuildVariable] | None:
        """All variables by name; None where there is no such build."""
        rows = self._connection.execute(_QUERIES["of_build"], {"build_id": build_id}).fetchall()
        if not rows:
            return None
        return [BuildVariable.model_validate(row) for row in rows if row["name"] is not None]

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None  # noqa: S101 - each of these answers with one row
        return row
