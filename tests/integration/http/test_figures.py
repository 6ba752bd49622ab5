"""`GET /api/admin/statistics`."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from functions.http.figures import _FIGURES  # pyright: ignore[reportPrivateUsage]
from shared.models.figures import RegistryFigures
from shared.services.artifact_service import ArtifactService
from tests.integration.clock import TickingClock
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.registering import create

PATH = "/api/admin/statistics"
FAILED = """
INSERT INTO registry.outbox (occurred_at, operation, actor, success, error)
VALUES (now(), 'register', 'key:test', false, 'why')
"""


def test_figures_are_told_by_value_by_day_and_by_operation(
    reader: Caller,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    clock.now = datetime.now(UTC)
    place = {"storage_account": "account", "container": "uploads", "blob_path": "p"}
    create(artifacts, "a", size_bytes=5, artifact_type="raster", storage_tier="Hot", **place)
    create(artifacts, "b", client_type="other", size_bytes=7)
    sql.execute(FAILED)
    told = reader.get(PATH).json()
    assert set(told) == set(_FIGURES)
    both = counted(2, 12)
    one, other = counted(1, 5), counted(1, 7)
    assert {name: told[name] for name in both} == both
    assert told["by_status"] == listed({"value": "active", **both})
    assert told["by_client"] == listed({"value": "ddh", **one}, {"value": "other", **other})
    assert told["by_container"] == listed(
        {"value": None, **other}, {"value": "account/uploads", **one}
    )
    assert told["days"] == [{"day": told["today"], **both}]
    assert told["total_errors"] == 1
    assert told["errors_by_operation"] == [{"operation": "register", "errors": 1}]
    of_one = reader.get(f"{PATH}?client_type=ddh&days=1").json()
    assert (of_one["client_type"], of_one["artifact_count"]) == ("ddh", 1)
    assert reader.get(f"{PATH}?client_type=nobody").json()["artifact_count"] == 0


def counted(artifacts: int, size: int) -> dict[str, int]:
    return {
        "artifact_count": artifacts,
        "size_bytes": size,
        "deleted_count": 0,
        "deleted_bytes": 0,
    }


def listed(*values: Any) -> dict[str, Any]:
    return {"values": list(values), "others": counted(0, 0)}


def test_the_documented_example_is_an_answer() -> None:
    told = RegistryFigures.model_validate(_FIGURES)
    assert told.model_dump(mode="json") == _FIGURES


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("days=0", "/days"),
        ("days=367", "/days"),
        ("days=x", "/days"),
        ("client_type=", "/client_type"),
        (f"client_type={'x' * 51}", "/client_type"),
        ("client_type=a%00b", "/client_type"),
        ("colour=1", "/colour"),
    ],
)
def test_what_cannot_be_asked_is_named(reader: Caller, query: str, pointer: str) -> None:
    assert pointers(problem(reader.get(f"{PATH}?{query}"), 422, "invalid-input")) == [pointer]


def test_strangers_are_told_nothing(anonymous: Caller, writer: Caller) -> None:
    assert anonymous.get(PATH).status_code == 401
    assert writer.get(PATH).status_code == 403
