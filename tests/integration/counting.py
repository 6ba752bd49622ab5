"""What figures must be: counted from the artifacts themselves."""

import psycopg
from psycopg.rows import DictRow

from shared.models.axes import Status
from shared.models.statistics import Statistics, StatusFigures

_COUNT = """
SELECT status, count(*) AS artifact_count, coalesce(sum(size_bytes), 0)::text AS size_bytes,
    coalesce(sum(row_count), 0)::text AS row_count
FROM registry.artifact_records
WHERE %(client_type)s::text IS NULL OR client_type = %(client_type)s
GROUP BY status
"""
_ASSETS = """
SELECT count(*) AS n FROM registry.assets
WHERE %(client_type)s::text IS NULL OR client_type = %(client_type)s
"""


def counted(sql: psycopg.Connection[DictRow], client_type: str | None = None) -> Statistics:
    asked = {"client_type": client_type}
    rows = sql.execute(_COUNT, asked).fetchall()
    of = {Status(row.pop("status")): StatusFigures.model_validate(row) for row in rows}
    assets = sql.execute(_ASSETS, asked).fetchone()
    assert assets
    return Statistics(
        artifact_count=sum(figures.artifact_count for figures in of.values()),
        size_bytes=sum(figures.size_bytes for figures in of.values()),
        row_count=sum(figures.row_count for figures in of.values()),
        asset_count=assets["n"],
        statuses={status: of.get(status, StatusFigures()) for status in Status},
    )


def duplicated(sql: psycopg.Connection[DictRow]) -> set[str]:
    """Contents that several assets hold, by the plain question."""
    rows = sql.execute(
        "SELECT content_hash FROM registry.artifacts "
        "WHERE content_hash IS NOT NULL AND disposition IN ('live', 'archived') "
        "GROUP BY content_hash HAVING count(DISTINCT asset_id) > 1"
    ).fetchall()
    return {row["content_hash"] for row in rows}
