"""Ingestion rules in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Json, Jsonb

from shared.database.queries import load_queries
from shared.models.registrations import Origin
from shared.models.rule_files import KEPT_RULE, KeptRule, RuleFile

_QUERIES = load_queries(__file__)


class RuleRepository:
    """Every statement about ingestion rules. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def version(self) -> int:
        """Of the rules that are in force."""
        return self._row("version")["version"]

    def read(self) -> RuleFile:
        """The rules that are in force, by name."""
        return RuleFile.model_validate(self._row("read"))

    def get(self, name: str) -> KeptRule | None:
        """One rule; None if unknown."""
        row = self._connection.execute(_QUERIES["get"], {"name": name}).fetchone()
        return KEPT_RULE.validate_python(row["rule"]) if row else None

    def hold(self) -> None:
        """Let nobody else change rules until the transaction ends."""
        self._connection.execute(_QUERIES["limit_waiting"])
        self._connection.execute(_QUERIES["hold"])

    def keep(self, rules: Sequence[KeptRule]) -> None:
        """Add rules, or replace those of the same names."""
        told = [rule.model_dump(mode="json") for rule in rules]
        self._connection.execute(_QUERIES["keep"], {"rules": Json(told)})

    def remove(self, names: Collection[str]) -> None:
        """Forget rules."""
        self._connection.execute(_QUERIES["remove"], {"names": list(names)})

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
        row = self._connection.execute(_QUERIES[name]).fetchone()
        assert row, "the migration put the one row there, and no statement may delete it"  # noqa: S101
        return row
