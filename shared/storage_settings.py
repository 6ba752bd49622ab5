"""Settings of storage: which accounts there are, and whether keys or an identity open them."""

from typing import Annotated

from azure.core.credentials import TokenCredential
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import from_json
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.models.service_uris import Service, is_address, read_service_uri
from shared.models.tables import SourceName, TableSource
from shared.storage.account import Account, IdentityAccount


def _parsed(value: object) -> object:
    return from_json(value) if isinstance(value, str) else value


FROM_JSON = BeforeValidator(_parsed)
"""The settings' own decoding would show what it cannot decode, and this may hold secrets."""


def _of(service: Service) -> AfterValidator:
    return AfterValidator(lambda uri: read_service_uri(uri, service) if uri else "")


_BlobUri = Annotated[str, _of("blob")]
_QueueUri = Annotated[str, _of("queue")]
_TableUri = Annotated[str, _of("table")]


def _checked(account: SecretStr) -> SecretStr:
    if is_address(account.get_secret_value()):
        read_service_uri(account.get_secret_value(), "blob")
    return account


_Account = Annotated[SecretStr, AfterValidator(_checked)]


class StorageSettings(BaseSettings):
    """What reaches the bytes that are registered: an allow-list, for nothing else is asked."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRY_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    storage__blobServiceUri: _BlobUri = ""  # noqa: N815 - as the Functions host spells it
    """In place of a connection string, all three: the app's identity asks
    `https://ACCOUNT.blob.core.windows.net`."""
    storage__queueServiceUri: _QueueUri = ""  # noqa: N815 - likewise
    storage__tableServiceUri: _TableUri = ""  # noqa: N815 - likewise
    storage: SecretStr = Field(default=SecretStr(""), validate_default=True)
    """Connection string of the storage account that holds uploads and queues."""
    more_storage: Annotated[tuple[_Account, ...], NoDecode, FROM_JSON] = ()
    """Other accounts whose blobs may be registered, as a JSON list of connection strings and, for
    the app's identity, of addresses of their blobs."""
    table_sources: Annotated[dict[SourceName, TableSource], NoDecode, FROM_JSON] = {}
    """Databases whose tables may be hashed, as a JSON object: name → `TableSource`."""

    @field_validator("storage")
    @classmethod
    def _check_storage(cls, connection: SecretStr, others: ValidationInfo) -> SecretStr:
        uris = [
            others.data.get(f"storage__{name}ServiceUri") for name in ("blob", "queue", "table")
        ]
        if not connection and not any(uris):
            raise ValueError("neither a connection string nor addresses of services")
        return _one_way(connection, uris)

    def account(self, identity: TokenCredential) -> Account:
        """The one that holds uploads and queues."""
        return self.storage.get_secret_value() or IdentityAccount(
            identity,
            self.storage__blobServiceUri,
            self.storage__queueServiceUri,
            self.storage__tableServiceUri,
        )

    def accounts(self, identity: TokenCredential) -> list[Account]:
        """All whose blobs may be registered, that one first."""
        more = [account.get_secret_value() for account in self.more_storage]
        return [
            self.account(identity),
            *(
                IdentityAccount(identity, read_service_uri(each, "blob"))
                if is_address(each)
                else each
                for each in more
            ),
        ]


class AuditSettings(BaseSettings):
    """Where the audit trail is kept."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRY_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    audit_storage__blobServiceUri: _BlobUri = ""  # noqa: N815 - like those of uploads
    """In place of a connection string, both."""
    audit_storage__tableServiceUri: _TableUri = ""  # noqa: N815 - likewise
    audit_storage: SecretStr = Field(default=SecretStr(""), validate_default=True)
    """Connection string of the account that holds its tables; by default that of uploads."""
    audit_table: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{2,40}$")] = "AuditTrail"
    """What the names of its tables begin with, one a month: the year and the month follow."""

    @field_validator("audit_storage")
    @classmethod
    def _check_audit_storage(cls, connection: SecretStr, others: ValidationInfo) -> SecretStr:
        uris = [others.data.get(f"audit_storage__{name}ServiceUri") for name in ("blob", "table")]
        return _one_way(connection, uris)

    def audit_account(self, identity: TokenCredential) -> Account | None:
        """The one that holds it, unless that is the one of uploads."""
        if self.audit_storage__blobServiceUri:
            return IdentityAccount(
                identity,
                self.audit_storage__blobServiceUri,
                tables=self.audit_storage__tableServiceUri,
            )
        return self.audit_storage.get_secret_value() or None


def _one_way(connection: SecretStr, uris: list[str | None]) -> SecretStr:
    """Where two ways are told, or one by half, there is no telling what was meant."""
    if any(uris) and (connection or not all(uris)):
        raise ValueError("a connection string, or in its place all addresses of services")
    return connection
