"""A selector means what everything that it says is true of."""

from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.models.selectors import Selector
from shared.services.artifact_service import ArtifactService
from tests.integration.registering import REFS, create

FACTS: dict[str, Any] = {
    "storage_account": "account",
    "container": "silver",
    "blob_path": "flood/site-a.tif",
    "artifact_type": "raster",
    "size_bytes": 10,
    "metadata": {"crs": "EPSG:4326", "tags": ["flood", "2024"]},
}
MEANT: list[dict[str, Any]] = [
    {},
    {"client_type": "ddh"},
    {"client_refs": {"resource_id": "site-a"}},
    {"storage_account": "account", "container": "silver"},
    {"path_prefix": "flood/"},
    {"path_prefix": "flood/site-a.tif"},
    {"artifact_type": "raster"},
    {"stage": "intermediate", "processing": "completed", "status": "active"},
    {"metadata": {"tags": ["flood"]}},
    {"min_size_bytes": 10, "max_size_bytes": 10},
]
NOT_MEANT: list[dict[str, Any]] = [
    {"client_type": "other"},
    {"client_refs": {"resource_id": "site-b"}},
    {"storage_account": "other"},
    {"container": "silver-2"},
    {"path_prefix": "floods"},
    {"path_prefix": "flood/%"},
    {"artifact_type": "table"},
    {"stage": "published"},
    {"processing": "failed"},
    {"status": "superseded"},
    {"metadata": {"tags": ["fire"]}},
    {"min_size_bytes": 11},
    {"max_size_bytes": 9},
]


def is_meant(sql: psycopg.Connection[DictRow], selector: dict[str, Any]) -> bool:
    told = Selector.model_validate(selector).model_dump(mode="json", exclude_none=True)
    row = sql.execute(
        "SELECT registry.selects(%s, artifact) AS is_meant FROM registry.artifacts AS artifact",
        [Jsonb(told)],
    ).fetchone()
    assert row
    return row["is_meant"]


@pytest.mark.parametrize("selector", MEANT)
def test_what_all_is_true_of_is_meant(
    selector: dict[str, Any], artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, "one", **FACTS)
    assert is_meant(sql, selector)


@pytest.mark.parametrize("selector", NOT_MEANT)
def test_one_thing_that_is_not_true_is_enough(
    selector: dict[str, Any], artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, "one", **FACTS)
    assert not is_meant(sql, {"client_refs": REFS, **selector})


@pytest.mark.parametrize("selector", [s for s in NOT_MEANT if not s.keys() & {"metadata"}])
def test_what_is_not_known_of_an_artifact_is_not_true_of_it(
    selector: dict[str, Any], artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    create(artifacts, "one")
    assert not is_meant(sql, selector)
