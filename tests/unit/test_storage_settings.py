"""Which accounts and tables may be read is told safely, or refused without its secrets."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.models.tables import TableReference, TableSource
from shared.storage.table_sources import TableSources
from shared.storage_settings import StorageSettings

SECRET = "s3cret"
URL = f"postgresql://reader:{SECRET}@db.example/gis"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("REGISTRY_STORAGE", "UseDevelopmentStorage=true")
    return monkeypatch


def read() -> StorageSettings:
    return StorageSettings()


def source(**changes: Any) -> dict[str, Any]:
    return {"url": URL, "tables": ["app.*"]} | changes


def test_by_default_there_is_one_account_and_no_table(environment: pytest.MonkeyPatch) -> None:
    assert (read().more_storage, read().table_sources) == ((), {})


def test_accounts_and_tables_are_listed_as_json(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REGISTRY_MORE_STORAGE", '["AccountName=a", "AccountName=b"]')
    environment.setenv("REGISTRY_TABLE_SOURCES", json.dumps({"postgis": source()}))
    found = read()
    names = [connection.get_secret_value() for connection in found.more_storage]
    assert names == ["AccountName=a", "AccountName=b"]
    listed = found.table_sources["postgis"]
    assert (listed.url.get_secret_value(), listed.tables) == (URL, ("app.*",))
    assert listed.statement_timeout_seconds == 600


def test_no_secret_is_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REGISTRY_MORE_STORAGE", json.dumps([f"AccountKey={SECRET}"]))
    environment.setenv("REGISTRY_TABLE_SOURCES", json.dumps({"postgis": source()}))
    assert SECRET not in f"{read()!r} {read()} {read().model_dump()} {read().model_dump_json()}"


@pytest.mark.parametrize(
    "sources",
    [
        {"postgis": source(url=f"mysql://x:{SECRET}@db")},
        {"postgis": source(url=f"host=db password={SECRET}")},
        {"postgis": source(tables=[])},
        {"postgis": source(tables=["roads"])},
        {"postgis": source(tables=["*"])},
        {"postgis": source(tables=["*.*"])},
        {"postgis": source(tables=["app.road*"])},
        {"postgis": source(tables=["app."])},
        {"postgis": source(statement_timeout_seconds=0)},
        {"postgis": source(statement_timeout_seconds=1800)},
        {"postgis": source(statement_timeout=5)},
        {"postgis": {"tables": ["app.*"]}},
        {"Post GIS": source()},
        [source()],
    ],
    ids=str,
)
def test_a_source_that_is_not_valid_is_refused_without_its_secret(
    environment: pytest.MonkeyPatch, sources: object
) -> None:
    environment.setenv("REGISTRY_TABLE_SOURCES", json.dumps(sources))
    with pytest.raises(ValidationError, match="table_sources") as refused:
        read()
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("name", ["REGISTRY_MORE_STORAGE", "REGISTRY_TABLE_SOURCES"])
def test_what_is_no_json_is_refused_without_being_told(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(name, f"AccountKey={SECRET}")
    with pytest.raises(ValidationError, match=name.removeprefix("REGISTRY_").lower()) as refused:
        read()
    assert SECRET not in str(refused.value)


def test_a_url_that_cannot_be_read_is_refused_when_the_app_starts_without_being_told() -> None:
    broken = TableSource.model_validate(source(url=f"{URL}?sslmode=require&unheard_of={SECRET}"))
    with pytest.raises(ValueError, match="'postgis'") as refused:
        TableSources({"postgis": broken})
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("schema", "name", "is_listed"),
    [
        ("app", "parcels", True),
        ("app", "*", True),
        ("app", 'x"; DROP TABLE y; --', True),
        ("geo", "roads", True),
        ("geo", "with.dot", True),
        ("geo", "rivers", False),
        ("geo", "roads ", False),
        ("GEO", "roads", False),
        ("geo.with", "dot", False),
        ("app2", "parcels", False),
        ("public", "parcels", False),
        ("", "parcels", False),
    ],
)
def test_a_table_is_listed_by_its_exact_name_or_with_its_schema(
    schema: str, name: str, is_listed: bool
) -> None:
    tables = ["app.*", "geo.roads", "geo.with.dot"]
    listed = TableSource.model_validate(source(tables=tables))
    assert listed.lists(TableReference("postgis", schema, name)) is is_listed
