"""A list tells exactly what a plain filter over all artifacts tells, whatever is asked for."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql as composed
from pydantic import JsonValue

from shared.database.pool import Database
from shared.models.artifacts import Artifact
from shared.models.axes import Processing, Stage, Status
from shared.models.listings import ArtifactFilter, ArtifactSort
from shared.services.artifact_service import ArtifactService
from tests.databases import own_database
from tests.integration.clock import TickingClock
from tests.integration.registering import hash_of

COUNT = 300
START = TickingClock().now

DOCUMENTS: list[dict[str, JsonValue]] = [
    {"a": 1},
    {"a": 1, "b": "x"},
    {"a": "1", "b": {"c": [1, 2]}},
    {"a": True, "b": None},
    {"b": {"c": [2], "d": 1.5}},
]
PARTS: list[dict[str, JsonValue]] = [
    *DOCUMENTS,
    {"b": {"c": [2]}},
    {"b": {}},
    {"a": 1.0},
    {"a": False},
    {"b": None},
]
VALUES: dict[str, list[Any]] = {
    "client_type": ["ddh", "vector", "rare"],
    "artifact_type": ["raster", "table"],
    "content_hash": [hash_of("0"), hash_of("1"), hash_of("2")],
    "storage_account": ["main", "other"],
    "container": ["c", "d"],
    "blob_path": ["p/1", "p/2"],
    "source_job_id": ["job 1", "job 2"],
    "stac_collection_id": ["dem", "ortho"],
    "stac_item_id": ["n50", "n51"],
}


def contains(whole: JsonValue, part: JsonValue) -> bool:
    """Whether jsonb's `@>` holds, below the top level."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], part[key]) for key in part
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(member, wanted) for member in whole) for wanted in part
        )
    return isinstance(whole, bool) == isinstance(part, bool) and whole == part


def satisfies(artifact: Artifact, wanted: ArtifactFilter) -> bool:
    tests: dict[str, Callable[[Any], bool]] = {
        "client_refs": lambda part: contains(artifact.client_refs, part),
        "metadata": lambda part: contains(artifact.metadata, part),
        "created_from": lambda start: artifact.created_at >= start,
        "created_before": lambda end: artifact.created_at < end,
        "updated_from": lambda start: artifact.updated_at >= start,
        "updated_before": lambda end: artifact.updated_at < end,
    }
    return all(
        tests[name](value) if name in tests else getattr(artifact, name) == value
        for name, value in wanted
        if value is not None
    )


def moments() -> st.SearchStrategy[datetime]:
    seconds = st.integers(0, 2 * COUNT).map(lambda count: timedelta(seconds=count))
    return st.builds(START.__add__, seconds)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.sampled_from(values) for name, values in VALUES.items()},
    **{name: st.sampled_from(PARTS) for name in ("client_refs", "metadata")},
    "status": st.sampled_from(Status),
    "stage": st.sampled_from(Stage),
    "processing": st.sampled_from(Processing),
    **{f"{of}_{edge}": moments() for of in ("created", "updated") for edge in ("from", "before")},
}


def filters() -> st.SearchStrategy[dict[str, Any]]:
    names = st.sets(st.sampled_from(sorted(FIELDS)), max_size=2)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: FIELDS[name] for name in sorted(chosen)})
    )


def filter_met_by(artifact: Artifact, names: set[str]) -> dict[str, Any]:
    """Conditions that at least this one satisfies."""
    met = artifact.model_dump() | {
        "created_from": artifact.created_at,
        "created_before": artifact.created_at + timedelta(seconds=9),
        "updated_from": artifact.updated_at - timedelta(seconds=9),
        "updated_before": artifact.updated_at + timedelta(microseconds=1),
    }
    return {name: met[name] for name in names if met[name] is not None}


def fill(service: ArtifactService) -> None:
    """Values at strides that share no factor, so that every combination comes about."""
    strides = dict(zip(VALUES, (1, 2, 3, 5, 7, 9, 11, 13, 17), strict=True))
    for n in range(COUNT):
        fields = {
            name: VALUES[name][n // stride % len(VALUES[name])] for name, stride in strides.items()
        }
        if n % 4 == 0:
            fields["content_hash"] = None
        if n % 50:
            fields["client_type"] = VALUES["client_type"][n % 2]
        made = service.create_artifact(
            **fields,
            client_refs=DOCUMENTS[n % 5] | {"n": n // 2 % 100},
            metadata=DOCUMENTS[n // 3 % 5] if n % 7 else {},
            processing="pending" if n % 6 == 0 else "completed",
            stage=list(Stage)[n % 11 % 3],
            overwrite=True,
            register_unchanged=True,
        )
        if n % 13 == 0:
            service.mark_deleted(made.artifact_id)
        elif n % 9 == 1:
            service.mark_archived(made.artifact_id)


@pytest.fixture(scope="module", params=[7, pytest.param(40, marks=pytest.mark.long), 10_000])
def filled(
    request: pytest.FixtureRequest, postgres: str, template_database: str
) -> Iterator[tuple[ArtifactService, list[Artifact]]]:
    """So small a shortlist that every way of listing is gone, and one that is never exceeded."""
    with own_database(postgres, template_database) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                composed.SQL(
                    "CREATE OR REPLACE FUNCTION registry.shortlist_limit() RETURNS integer"
                    " LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN {}"
                ).format(composed.Literal(request.param))
            )
        database = Database(url, size=2, timeout_seconds=10)
        service = ArtifactService(database, TickingClock())
        fill(service)
        everything = service.list_artifacts(ArtifactFilter(), limit=1000).artifacts
        assert len(everything) == COUNT
        yield service, everything
        database.close()


@pytest.mark.parametrize("examples", [25, pytest.param(300, marks=pytest.mark.long)])
def test_all_pages_together_are_what_a_plain_filter_tells(
    filled: tuple[ArtifactService, list[Artifact]], examples: int
) -> None:
    service, everything = filled

    @settings(max_examples=examples, deadline=None, phases=[Phase.explicit, Phase.generate])
    @given(
        like=st.integers(0, COUNT - 1),
        alike=st.sets(st.sampled_from(sorted(FIELDS)), max_size=6),
        otherwise=filters(),
        sort=st.sampled_from(ArtifactSort),
        limits=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    )
    def lists_what_is_meant(
        like: int,
        alike: set[str],
        otherwise: dict[str, Any],
        sort: ArtifactSort,
        limits: list[int],
    ) -> None:
        wanted = ArtifactFilter.model_validate(filter_met_by(everything[like], alike) | otherwise)
        told: list[Artifact] = []
        cursor = None
        for turn in range(10 * COUNT):
            limit = limits[turn % len(limits)]
            page = service.list_artifacts(wanted, sort=sort, limit=limit, cursor=cursor)
            assert len(page.artifacts) <= limit
            told += page.artifacts
            cursor = page.next
            if cursor is None:
                break
        expected = sorted(
            (artifact for artifact in everything if satisfies(artifact, wanted)),
            key=lambda artifact: (
                artifact.updated_at if sort.is_by_update else artifact.created_at,
                artifact.artifact_id,
            ),
            reverse=sort.is_descending,
        )
        assert cursor is None
        assert told == expected

    lists_what_is_meant()
