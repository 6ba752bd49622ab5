"""What figures must be: counted from the artifacts themselves, value by value."""

from datetime import date
from typing import Any

import psycopg
from psycopg.rows import DictRow

from shared.models.figures import Breakdown, Counted, CountedValue, RegistryFigures

BY = {
    "status": "status",
    "stage": "stage",
    "type": "artifact_type",
    "client": "client_type",
    "backend": "storage_backend",
    "tier": "storage_tier",
    "container": "storage_account || '/' || container",
    "day": "((created_at AT TIME ZONE 'UTC')::date)::text",
}
_COUNT = """
SELECT {value} AS value,
    count(*) AS artifact_count, coalesce(sum(size_bytes), 0)::text AS size_bytes,
    count(*) FILTER (WHERE status = 'deleted') AS deleted_count,
    coalesce(sum(size_bytes) FILTER (WHERE status = 'deleted'), 0)::text AS deleted_bytes
FROM registry.artifact_records
WHERE %(client_type)s::text IS NULL OR client_type = %(client_type)s
GROUP BY 1
"""
Told = dict[str, dict[str | None, Counted]]


def counted_figures(sql: psycopg.Connection[DictRow], client_type: str | None = None) -> Told:
    """Each figure by one full count of its own."""
    return {
        figure: {
            row.pop("value"): Counted.model_validate(row)
            for row in sql.execute(
                _COUNT.format(value=value).encode(), {"client_type": client_type}
            ).fetchall()
        }
        for figure, value in BY.items()
    }


def told_figures(told: RegistryFigures) -> Told:
    """The same as the registry tells it; all that is not listed is under `others`, if anything."""
    found: dict[str, Any] = {
        figure: _of_breakdown(getattr(told, f"by_{figure}")) for figure in BY if figure != "day"
    }
    days: dict[str, Any] = {each.day.isoformat(): _only_counted(each) for each in told.days}
    assert [each.day for each in told.days] == sorted(map(date.fromisoformat, days))
    found["day"] = days
    return found


def _of_breakdown(breakdown: Breakdown) -> dict[str | None, Counted]:
    values = {each.value: _only_counted(each) for each in breakdown.values}
    assert len(values) == len(breakdown.values)
    counts = [each.artifact_count for each in breakdown.values]
    assert counts == sorted(counts, reverse=True)
    return values | ({} if breakdown.others == Counted() else {"others": breakdown.others})


def _only_counted(each: Counted | CountedValue) -> Counted:
    return Counted.model_validate(each.model_dump(include=set(Counted.model_fields)))
