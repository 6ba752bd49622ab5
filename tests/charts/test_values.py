"""Values that cannot work are refused with their place, before a cluster is asked."""

import pytest

from tests.charts.helm import ChartRefused, render


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
        ("identity.clientId=", "secrets.AzureWebJobsStorage"),
        ("storage.data=", "storage.data"),
        ("migration.databaseUrl=", "migration.databaseUrl"),
        ("database.url=postgresql://user:word@host/registry", "database.url"),
        ("database.url=postgresql://user@host/registry?password=word", "a password is a secret"),
        ("env.REGISTRY_KEY_PEPPER=pepper", "invalid propertyName 'REGISTRY_KEY_PEPPER'"),
        ("settings.REGISTRY_SCRUB_DAY=7", "REGISTRY_SCRUB_DAY"),
        ("settings.REGISTRY_SCRUB_BYTES_PER_DAY=1099511627776", "got number"),
        ("workers.hashing.maxReplica=2", "maxReplica"),
        ("database.poolSize=20", "want 616 connections, and database.connections is 400"),
    ],
)
def test_what_cannot_work_is_refused(setting: str, said: str) -> None:
    with pytest.raises(ChartRefused) as caught:
        render("minimal", setting)
    assert said in str(caught.value)
    assert "postgresql://user" not in str(caught.value)
