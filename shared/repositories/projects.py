"""Projects in PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.database.queries import load_queries
from shared.models.build_catalogues import Project

_QUERIES = load_queries(__file__)


class ProjectRepository:
    """Every statement about projects. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def put(self, request: Mapping[str, Any]) -> Project:
        """Run `registry.put_project`: the project after."""
        return Project.model_validate(self._row("put", {"request": Jsonb(request)}))

    def remove(self, request: Mapping[str, Any]) -> bool:
        """Run `registry.remove_project`: whether there was one."""
        row = self._row("remove", {"request": Jsonb(request)})
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        return row["is_removed"]

    def get(self, name: str) -> Project | None:
        """One project; None if unknown."""
        row = self._row("get", {"name": name})
        return Project.model_validate(row) if row else None

    def page(self, after: str, limit: int) -> list[Project]:
        """Projects behind a name, by name."""
        parameters = {"after": after, "limit": limit}
        rows = self._connection.execute(_QUERIES["page"], parameters).fetchall()
        return [Project.model_validate(row) for row in rows]

    def _row(self, name: str, parameters: Mapping[str, Any]) -> DictRow | None:
        return self._connection.execute(_QUERIES[name], parameters).fetchone()
