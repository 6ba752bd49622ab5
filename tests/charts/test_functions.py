"""The chart against the app: its functions, its queues, its settings."""

import base64
import json
import re
from typing import Any, cast

import pytest
import yaml

from devhost.host.host_config import read_host_config
from shared.settings import DatabaseSettings, Settings, variable_of
from tests.charts.conftest import ALL_VALUES, Rendered
from tests.charts.helm import CHART, PROJECT, Object, render
from tests.charts.objects import component_of, containers, functions_of, name_of, of_kind, told
from tests.unit.test_manifest import EXPECTED

EXAMPLE: dict[str, str] = json.loads((PROJECT / "local.settings.example.json").read_text())[
    "Values"
]
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS: dict[str, str] = yaml.safe_load((CHART / "values.yaml").read_text())["settings"]
SECRETS = {
    "REGISTRY_AUDIT_SIGNING_KEY": base64.b64encode(bytes(32)).decode(),
    "REGISTRY_AUDIT_STORAGE": "UseDevelopmentStorage=true",
    "REGISTRY_DATABASE_URL": "postgresql://user:word@localhost/registry",
    "REGISTRY_KEY_PEPPER": "p" * 32,
    "REGISTRY_MORE_STORAGE": "[]",
    "REGISTRY_STORAGE": "UseDevelopmentStorage=true",
    "REGISTRY_TABLE_SOURCES": "{}",
}
MAY_BE_TOLD = {"REGISTRY_DATABASE_URL", "REGISTRY_MORE_STORAGE"}
"""Where an identity stands in for what is secret in them."""
HOSTS_ALONE = {"REGISTRY_STORAGE__credential", "REGISTRY_STORAGE__clientId"}
"""What the host asks of a connection by identity, and the app does not."""
POLLED = "blob_uploaded"


def triggered_by(kind: str) -> set[str]:
    return {name for name, (trigger, *_) in EXPECTED.items() if trigger["type"] == kind}


def test_each_function_runs_in_one_deployment_and_health_in_all(
    values: str, objects: list[Object]
) -> None:
    deployments = {component_of(each): each for each in of_kind(objects, "Deployment")}
    runs = {name: functions_of(each) for name, each in deployments.items()}
    assert all("health" in functions for functions in runs.values())
    alone = {name: functions - {"health"} for name, functions in runs.items()}
    polled = {POLLED} if values == "everything" else set[str]()
    assert alone.pop("api") == triggered_by("httpTrigger") - {"health"}
    assert alone.pop("timers") == triggered_by("timerTrigger") | polled
    assert all(len(functions) == 1 for functions in alone.values())
    assert set[str]().union(*alone.values()) == triggered_by("queueTrigger")


def test_the_host_reads_the_list_as_it_is_meant(objects: list[Object]) -> None:
    for deployment in of_kind(objects, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        config = read_host_config(PROJECT, told(objects, container))
        assert config.functions == functions_of(deployment)
        is_worker = config.functions <= triggered_by("queueTrigger") | {"health"}
        assert (config.extensions.queues.batch_size != 16) <= is_worker


@pytest.mark.parametrize("name", ["minimal", "everything"])
def test_every_queue_has_a_scaler_of_the_deployment_that_takes_its_messages(
    name: str, rendered: Rendered
) -> None:
    objects = rendered(name)
    deployments = {name_of(each): each for each in of_kind(objects, "Deployment")}
    scaled = {name_of(each): each["spec"] for each in of_kind(objects, "ScaledObject")}
    queued: set[str] = set()
    for target, spec in scaled.items():
        deployment = deployments[spec["scaleTargetRef"]["name"]]
        assert name_of(deployment) == target
        assert "replicas" not in deployment["spec"]  # or each upgrade would undo the scaling
        (function,) = functions_of(deployment) - {"health"}
        queued.add(function)
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        variable = EXPECTED[function][0]["queueName"].strip("%")
        (trigger,) = spec["triggers"]
        assert trigger["metadata"]["queueName"] == told(objects, container)[variable]
        assert trigger["metadata"]["accountName"] == "dataaccount"
    assert queued == triggered_by("queueTrigger")


def test_without_scalers_every_deployment_has_its_pods(rendered: Rendered) -> None:
    objects = rendered("keys")
    assert not of_kind(objects, "ScaledObject", "TriggerAuthentication")
    assert all(each["spec"]["replicas"] >= 1 for each in of_kind(objects, "Deployment"))


def test_the_chart_knows_every_setting_of_the_app_and_no_other(rendered: Rendered) -> None:
    every = {variable_of(name) for name in Settings.model_fields}
    said: set[str] = set()
    for name in ALL_VALUES:
        objects = rendered(name)
        for container in containers(objects):
            said |= told(objects, container).keys()
    assert {name for name in said if name.startswith("REGISTRY_")} - HOSTS_ALONE == every
    assert set(SCHEMA["properties"]["secrets"]["propertyNames"]["then"]["enum"]) == SECRETS.keys()


def test_accounts_are_where_their_cloud_is(rendered: Rendered) -> None:
    by_password = ("name=registry-secrets", "key=database-url")
    objects = render(
        "minimal",
        "cloud=AzureChinaCloud",
        *(f"secrets.REGISTRY_DATABASE_URL.{part}" for part in by_password),
        *(f"migration.databaseUrlSecret.{part}" for part in by_password),
    )
    settings = {
        name: text for each in of_kind(objects, "ConfigMap") for name, text in each["data"].items()
    }
    uris = [text for name, text in settings.items() if name.endswith("ServiceUri")]
    assert uris
    assert all(uri.endswith(".core.chinacloudapi.cn") for uri in uris)
    for scaled in of_kind(objects, "ScaledObject"):
        assert scaled["spec"]["triggers"][0]["metadata"]["cloud"] == "AzureChinaCloud"
    (public,) = of_kind(rendered("minimal"), "ConfigMap")
    assert public["data"]["REGISTRY_STORAGE__blobServiceUri"].endswith(".core.windows.net")


def test_what_the_chart_gives_are_the_values_of_the_example() -> None:
    assert {name: EXAMPLE[name] for name in DEFAULTS} == DEFAULTS


def test_the_app_takes_what_its_pods_are_told(
    values: str, objects: list[Object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    for container in containers(objects):
        with monkeypatch.context() as patched:
            for name, value in (told(objects, container) | secrets_in(container)).items():
                patched.setenv(name, value)
            if container["name"] == "migrate":
                read = DatabaseSettings()  # pyright: ignore[reportCallIssue] - from the environment
            else:
                read = Settings()  # pyright: ignore[reportCallIssue] - likewise
                assert read.storage__blobServiceUri.startswith("https://") == (values != "keys")
            assert read.database_identity == (values != "keys")


def secrets_in(container: Object) -> dict[str, str]:
    """A value for each that would come from a secret."""
    return {
        each["name"]: SECRETS.get(each["name"], "other")
        for each in container["env"]
        if "valueFrom" in each
    }


def test_secrets_are_named_and_never_told(objects: list[Object]) -> None:
    assert not of_kind(objects, "Secret")
    settings = {name for each in of_kind(objects, "ConfigMap") for name in each["data"]}
    assert not settings & (SECRETS.keys() - MAY_BE_TOLD)
    text = json.dumps(objects)
    for address in cast("list[str]", re.findall("postgresql://([^@]+)@", text)):
        assert ":" not in address
    assert not re.search("AccountKey|SharedAccess|sig=|[?&]password=", text)
    named: list[dict[str, Any]] = [
        each
        for container in containers(objects)
        for each in container["env"]
        if "valueFrom" in each or each["name"] in SECRETS.keys() - MAY_BE_TOLD
    ]
    assert {each["name"] for each in named} >= {"REGISTRY_KEY_PEPPER"}
    for each in named:
        assert set(each["valueFrom"]) == {"secretKeyRef"}, each["name"]


def test_all_hosts_of_a_release_are_one_and_those_of_two_are_not(rendered: Rendered) -> None:
    """Or each timer would run in each of them; or in only one of two registries."""
    ids = [hosts(each) for each in (rendered("minimal"), render("minimal", namespace="other"))]
    assert ids[0] != ids[1]
    for host_id in ids:
        assert re.fullmatch("[a-z0-9](-?[a-z0-9])+", host_id)
        assert len(host_id) <= 32


def hosts(objects: list[Object]) -> str:
    deployed = [each for each in containers(objects) if each["name"] == "host"]
    (host_id,) = {told(objects, each)["AzureFunctionsWebHost__hostid"] for each in deployed}
    return host_id
