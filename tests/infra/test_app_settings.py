"""What the templates set is what the settings classes read, down to names of queues."""

from pathlib import Path
from typing import Any

import pytest

from infra.check.checking import sources
from infra.check.functions import Later
from infra.check.plan import Plan
from infra.check.reading import read
from infra.check.rules.database import TIMERS
from infra.check.stacks import plan
from shared.settings import Settings, variable_of
from tests.unit.test_manifest import EXPECTED

TEMPLATES = {
    path: read(path, text) for path, text in sources(Path.cwd()).items() if path.endswith(".bicep")
}
GIVEN = {
    "environmentName": "test",
    "location": "westeurope",
    "administratorId": "8f1c3c0e-63f5-4c59-9d0c-1d0f2a3b4c5d",
    "administratorName": "operators",
}
BY_KEYS = {"REGISTRY_STORAGE", "REGISTRY_AUDIT_STORAGE"}
"""Connection strings, in whose place there are URIs of services."""
OF_HOST = {"REGISTRY_STORAGE__credential", "REGISTRY_STORAGE__clientId"}
"""What the Functions host alone reads: how it comes by a token."""
OF_CLOUD = {
    "{environment().suffixes.storage}": "core.windows.net",
    "{environment().authentication.loginEndpoint}": "https://login.microsoftonline.com/",
    "{tenant().tenantId}": "a-tenant",
}
"""Expressions of Bicep, and what Azure's public cloud makes of them."""
OWN_TO_AZURE = {
    "audit_storage__blobServiceUri", "audit_storage__tableServiceUri", "blob_trigger_source",
    "database_identity", "storage__blobServiceUri", "storage__queueServiceUri",
    "storage__tableServiceUri",
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Plan:
    return plan(TEMPLATES, GIVEN)


def app_settings(made: Plan) -> dict[str, Any]:
    (found,) = (each for each in made.of("Microsoft.Web/sites/config"))
    return found.at("properties")


def read_by_app(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of an app that gets these, with what only Azure knows filled in."""
    filled = {"REGISTRY_KEY_PEPPER": "p" * 96} | {
        f"REGISTRY_{account}__{service}ServiceUri": f"https://acc.{service}.core.windows.net/"
        for account in ("STORAGE", "AUDIT_STORAGE")
        for service in ("blob", "queue", "table")
    }
    for name, value in given.items():
        known = filled.get(name, str(value)) if isinstance(value, Later) else value
        for expression, result in OF_CLOUD.items():
            known = known.replace(expression, result)
        monkeypatch.setenv(name, known)
    return Settings()  # pyright: ignore[reportCallIssue] - the environment fills the fields


def test_app_settings_are_the_fields_of_the_settings(made: Plan) -> None:
    ours = {name for name in app_settings(made) if name.startswith("REGISTRY_")}
    assert ours - OF_HOST == {variable_of(name) for name in Settings.model_fields} - BY_KEYS
    assert ours >= OF_HOST


def test_the_app_understands_them_and_has_its_own_defaults_otherwise(
    made: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = app_settings(made)
    assert isinstance(given["REGISTRY_KEY_PEPPER"], Later)
    settings = read_by_app(given, monkeypatch)
    required = {name for name, field in Settings.model_fields.items() if field.is_required()}
    differing = {
        name
        for name, field in Settings.model_fields.items()
        if name not in required and getattr(settings, name) != field.default
    }
    assert differing == OWN_TO_AZURE


def test_bearer_tokens_and_other_settings_are_switched_on_by_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    more = {
        "tokenAudience": "an-application",
        "moreAccounts": ["archive1", "archive2"],
        "otherSettings": {"REGISTRY_AUDIT_READS": "true"},
    }
    settings = read_by_app(app_settings(plan(TEMPLATES, GIVEN | more)), monkeypatch)
    assert settings.token_audience == "an-application"
    assert settings.token_issuer == "https://login.microsoftonline.com/a-tenant/v2.0"
    assert settings.audit_reads
    assert [account.get_secret_value() for account in settings.more_storage] == [
        "https://archive1.blob.core.windows.net",
        "https://archive2.blob.core.windows.net",
    ]


def test_there_are_the_queues_and_containers_that_the_app_names(
    made: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_by_app(app_settings(made), monkeypatch)
    accounts = "Microsoft.Storage/storageAccounts"
    queues = {each.name for each in made.of(f"{accounts}/queueServices/queues")}
    named = {*settings.queues, settings.audit_queue}
    assert queues == named | {f"{name}-poison" for name in named}
    containers = {each.name for each in made.of(f"{accounts}/blobServices/containers")}
    assert containers >= {
        settings.upload_container, settings.audit_seal_container, settings.audit_export_container,
    }  # fmt: skip


def test_every_function_that_scales_by_itself_is_counted(made: Plan) -> None:
    kinds = [binding["type"] for bindings in EXPECTED.values() for binding in bindings]
    triggers = [kind for kind in kinds if kind.endswith("Trigger")]
    assert triggers.count("timerTrigger") == TIMERS
    named = [name for name in app_settings(made) if name.endswith("_QUEUE")]
    assert triggers.count("queueTrigger") == len(named)
    assert set(triggers) == {"timerTrigger", "queueTrigger", "blobTrigger", "httpTrigger"}


@pytest.mark.parametrize(
    ("cores", "tier", "instances", "pool"),
    [
        (2, "GeneralPurpose", 10, 8),
        (2, "GeneralPurpose", 40, 8),
        (2, "GeneralPurpose", 1000, 8),
        (2, "MemoryOptimized", 100, 200),
        (64, "MemoryOptimized", 1000, 200),
    ],
)
def test_all_instances_together_never_have_more_connections_than_the_database(
    cores: int, tier: str, instances: int, pool: int
) -> None:
    given = {"databaseCores": cores, "databaseTier": tier, "poolSize": pool}
    made = plan(TEMPLATES, GIVEN | given | {"maximumInstanceCount": instances})
    servers = "Microsoft.DBforPostgreSQL/flexibleServers/configurations"
    parameters = {each.name: each.at("properties.value") for each in made.of(servers)}
    (site,) = made.of("Microsoft.Web/sites")
    scale = site.at("properties.functionAppConfig.scaleAndConcurrency")
    settings = app_settings(made)
    size = int(settings["REGISTRY_DATABASE_POOL_SIZE"])
    assert 1 <= size == int(settings["PYTHON_THREADPOOL_THREAD_COUNT"]) <= pool
    groups = 1 + sum(name.endswith("_QUEUE") for name in settings)
    opened = (scale["maximumInstanceCount"] * groups + TIMERS) * (size + 2)
    assert 1 <= scale["maximumInstanceCount"] <= instances
    assert opened <= int(parameters["max_connections"]) - 50
    assert int(parameters["pgbouncer.max_client_conn"]) == 2 * opened
    assert int(parameters["pgbouncer.default_pool_size"]) <= int(parameters["max_connections"]) - 50
