"""Values that cannot work are refused with their place, before a cluster is asked."""

import os
import re
from pathlib import Path

import pytest

from tests.charts.helm import PROJECT, ChartRefused, render
from tests.charts.objects import name_of


def test_a_release_without_any_value_says_what_it_lacks() -> None:
    with pytest.raises(ChartRefused, match=r"database\.url"):
        render(None)
    with pytest.raises(ChartRefused, match=r"secrets\.REGISTRY_KEY_PEPPER"):
        render(
            None,
            "image.repository=image",
            "database.url=postgresql://role@host/registry",
            "migration.enabled=false",
        )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("image.repository=", "image.repository"),
        ("image.repository=an image", "/image/repository"),
        ("identity.clientId=", "secrets.AzureWebJobsStorage"),
        ("storage.data=", "storage.data"),
        ("migration.databaseUrl=", "migration.databaseUrl"),
        ("database.url=postgresql://user:word@host/registry", "database.url"),
        ("database.url=postgresql://user@host/registry?password=word", "a password is a secret"),
        ("env.REGISTRY_KEY_PEPPER=pepper", "invalid propertyName 'REGISTRY_KEY_PEPPER'"),
        ("env.POD_NAMESPACE=registry", "invalid propertyName 'POD_NAMESPACE'"),
        ("secrets.REGISTRY_AUDIT_SIGNING_KEYS.name=a", "'REGISTRY_AUDIT_SIGNING_KEYS'"),
        ("readOnlyRootFilesystem=null", "missing property 'readOnlyRootFilesystem'"),
        ("terminationGraceSeconds=5", "terminationGraceSeconds"),
        ("cloud=AzureUSGovernmentCloud", "database.url: the app's tokens"),
        ("migration.serviceAccountName=production-artifact-registry", "another one than the app's"),
        ("settings.REGISTRY_SCRUB_DAY=7", "REGISTRY_SCRUB_DAY"),
        ("settings.REGISTRY_SCRUB_BYTES_PER_DAY=1099511627776", "got number"),
        ("workers.hashing.maxReplica=2", "maxReplica"),
        ("database.poolSize=20", "want 770 connections, and database.connections is 400"),
    ],
)
def test_what_cannot_work_is_refused(setting: str, said: str) -> None:
    with pytest.raises(ChartRefused) as caught:
        render("minimal", setting)
    assert said in str(caught.value)
    assert "postgresql://user" not in str(caught.value)


def test_a_release_may_be_called_what_helm_lets_it_be_called_or_is_refused() -> None:
    for release in ("true", "a.b"):
        for each in render("minimal", release=release):
            labels = each["metadata"]["labels"]
            assert labels["app.kubernetes.io/instance"] == release
            assert each["kind"] != "Service" or "." not in name_of(each)
    with pytest.raises(ChartRefused, match="begins with a letter"):
        render("minimal", release="2nd")


def test_the_values_of_the_page_work_and_are_refused_as_it_says(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "kubernetes.md").read_text()
    (documented,) = re.findall(r"```yaml\n(.+?)```", page, re.DOTALL)
    given = tmp_path / "values.yaml"
    given.write_text(re.sub("[A-Z]+ACCOUNT", lambda name: name[0].lower(), documented))
    values = os.fspath(given.with_suffix(""))
    assert render(values)
    with pytest.raises(ChartRefused) as caught:
        render(values, "database.poolSize=20")
    assert str(caught.value).splitlines()[0] in page
