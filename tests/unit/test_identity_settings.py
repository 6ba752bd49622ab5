"""Keys or an identity: told by the names that the Functions host reads, and never by halves."""

import pytest
from pydantic import ValidationError

from shared.identity import Identity
from shared.settings import DatabaseSettings, Settings, variable_of
from shared.storage.account import IdentityAccount
from shared.storage_settings import AuditSettings, StorageSettings

HOSTS = {
    "REGISTRY_STORAGE__blobServiceUri": "https://data1.blob.core.windows.net/",
    "REGISTRY_STORAGE__queueServiceUri": "https://data1.queue.core.windows.net",
    "REGISTRY_STORAGE__tableServiceUri": "https://data1.table.core.windows.net",
}
FOR_THE_HOST_ALONE = {
    "REGISTRY_STORAGE__credential": "managedidentity",
    "REGISTRY_STORAGE__clientId": "5e1f0ad5-0000-4000-8000-00000000c0de",
}
AUDITS = {
    "REGISTRY_AUDIT_STORAGE__blobServiceUri": "https://trail1.blob.core.windows.net",
    "REGISTRY_AUDIT_STORAGE__tableServiceUri": "https://trail1.table.core.windows.net/",
}
KEY = "DefaultEndpointsProtocol=https;AccountName=data1;AccountKey=czNjcmV0"
IDENTITY = Identity()
DATA = IdentityAccount(
    IDENTITY,
    "https://data1.blob.core.windows.net",
    "https://data1.queue.core.windows.net",
    "https://data1.table.core.windows.net",
)


def given(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_an_identity_asks_the_addresses_that_the_host_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, HOSTS | FOR_THE_HOST_ALONE | AUDITS)
    assert StorageSettings().accounts(IDENTITY) == [DATA]
    assert AuditSettings().audit_account(IDENTITY) == IdentityAccount(
        IDENTITY,
        "https://trail1.blob.core.windows.net",
        tables="https://trail1.table.core.windows.net",
    )
    assert {variable_of(name) for name in Settings.model_fields} >= HOSTS.keys() | AUDITS.keys()


def test_keys_and_identities_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said empty is not said."""
    given(monkeypatch, {**dict.fromkeys(HOSTS, ""), "REGISTRY_STORAGE": KEY})
    monkeypatch.setenv(
        "REGISTRY_MORE_STORAGE", f'["https://silver.blob.core.windows.net/", "{KEY}"]'
    )
    monkeypatch.setenv("REGISTRY_AUDIT_STORAGE", "")
    silver = IdentityAccount(IDENTITY, "https://silver.blob.core.windows.net")
    assert StorageSettings().accounts(IDENTITY) == [KEY, silver, KEY]
    assert AuditSettings().audit_account(IDENTITY) is None
    assert KEY not in repr(StorageSettings())


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"REGISTRY_STORAGE": ""},
        HOSTS | {"REGISTRY_STORAGE": KEY},
        *({name: HOSTS[name] for name in HOSTS if name != missing} for missing in HOSTS),
        HOSTS | {"REGISTRY_STORAGE__queueServiceUri": HOSTS["REGISTRY_STORAGE__blobServiceUri"]},
        HOSTS
        | {"REGISTRY_STORAGE__blobServiceUri": "https://data1.blob.core.windows.net/?sig=czNj"},
        HOSTS | {"REGISTRY_MORE_STORAGE": '["https://czNj.example"]'},
        HOSTS | {"REGISTRY_MORE_STORAGE": '["https://silver.blob.core.windows.net?sig=czNj"]'},
    ],
    ids=str,
)
def test_what_is_told_by_halves_or_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str]
) -> None:
    given(monkeypatch, values)
    with pytest.raises(ValidationError, match="storage") as refused:
        StorageSettings()
    assert "czNj" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(AUDITS))
def test_so_is_half_an_account_of_the_trail(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, AUDITS[name])
    with pytest.raises(ValidationError, match="audit_storage"):
        AuditSettings()


def test_a_database_is_opened_by_its_url_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://app@db.example/registry")
    read = DatabaseSettings()  # pyright: ignore[reportCallIssue] - the environment fills the fields
    assert not read.database_identity
    monkeypatch.setenv("REGISTRY_DATABASE_IDENTITY", "true")
    read = DatabaseSettings()  # pyright: ignore[reportCallIssue] - likewise
    assert read.database_identity
    for told in ("app:wordword@db.example/registry", "app@db.example/registry?password=wordword"):
        monkeypatch.setenv("REGISTRY_DATABASE_URL", f"postgresql://{told}")
        with pytest.raises(ValidationError, match="database_identity") as refused:
            DatabaseSettings()  # pyright: ignore[reportCallIssue] - likewise
        assert "wordword" not in str(refused.value)
