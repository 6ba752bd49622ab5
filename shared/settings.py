"""The app's settings: environment variables, as Azure Functions hands app settings over."""

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.models.audit_seals import seed_of
from shared.storage_settings import FROM_JSON, AuditSettings, StorageSettings


def variable_of(field: str) -> str:
    """Name of the environment variable that a setting is read from.

    What follows two underscores is spelt as the Functions host reads it.
    """
    name, mark, of_host = field.partition("__")
    return f"REGISTRY_{name.upper()}{mark}{of_host}"


class TriggerSettings(BaseSettings):
    """What the functions' triggers depend on: known before anything is connected."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRY_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    blob_trigger_source: Literal["LogsAndContainerScan", "EventGrid"] = "LogsAndContainerScan"
    """`EventGrid` on plans that refuse the polling source (Flex Consumption)."""


class DatabaseSettings(BaseSettings):
    """What reaches the database: enough to migrate it."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRY_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: SecretStr
    """PostgreSQL 14 or later, directly or behind PgBouncer in transaction mode."""
    database_identity: bool = False
    """Whether the app's identity opens it: its token of the moment is the password."""
    database_pool_size: int = Field(default=8, ge=1, le=200)
    """Connections that one process opens at most; look-ups over HTTP share two more."""
    database_timeout_seconds: float = Field(default=10.0, gt=0)
    """How long a call waits for a connection before it is told that there is none."""

    @field_validator("database_url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        """Before libpq does, which repeats what it cannot read, password and all."""
        try:
            conninfo_to_dict(url.get_secret_value())
            _ = urlsplit(url.get_secret_value()).port
        except (ProgrammingError, ValueError):
            raise ValueError("no URL of a database") from None
        return url

    @field_validator("database_identity")
    @classmethod
    def _check_identity(cls, is_identity: bool, others: ValidationInfo) -> bool:
        url = others.data.get("database_url")
        if is_identity and url and conninfo_to_dict(url.get_secret_value()).get("password"):
            raise ValueError("a password in the URL, or in its place the app's identity")
        return is_identity


class KeySettings(DatabaseSettings):
    """What makes and checks API keys."""

    key_pepper: SecretStr = Field(min_length=32)
    """Keys the HMAC of API keys at rest: at least 32 random bytes, written as text."""


class TokenSettings(BaseSettings):
    """Whose bearer tokens are believed: all three, or none for no tokens at all."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRY_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    token_issuer: str = ""
    """The `iss` of its tokens: `https://login.microsoftonline.com/<tenant id>/v2.0`."""
    token_audience: str = ""
    """Their `aud`: the client id of this registry's app registration."""
    token_jwks_url: str = Field(default="", validate_default=True)
    """Its keys: `https://login.microsoftonline.com/<tenant id>/discovery/v2.0/keys`."""

    @field_validator("token_jwks_url")
    @classmethod
    def _check_together(cls, url: str, others: ValidationInfo) -> str:
        given = [others.data.get("token_issuer"), others.data.get("token_audience"), url]
        if any(given) and not all(given):
            raise ValueError("issuer, audience and URL of the keys are set together or not at all")
        if url and not _is_safe(url):
            raise ValueError("keys are read over https only, or from this machine")
        return url


def _is_safe(url: str) -> bool:
    """Whether nobody on the way could put keys of their own in."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_OR_NONE = BeforeValidator(lambda value: None if value == "" else value)


_PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SealSettings(AuditSettings):
    """What proves the audit trail, beside the trail."""

    audit_seal_container: str = "audit-seals"
    """Where a day's signed root is kept. An immutability policy on it keeps everybody from it."""
    audit_signing_key: SecretStr = SecretStr("")
    """32 random bytes in Base64, the seed of an Ed25519 key; by default made of the pepper."""
    audit_earlier_keys: Annotated[tuple[_PublicKey, ...], NoDecode, FROM_JSON] = ()
    """Public keys in hex whose seals are believed too, as a JSON list: those that we had before."""

    @field_validator("audit_signing_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        if key:
            seed_of(key.get_secret_value())
        return key


class RetentionSettings(BaseSettings):
    """How long the audit trail is kept where it is asked, and where it is exported to then."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRY_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    audit_minimum_days: int = Field(default=365, ge=1, le=36_500)
    """No month goes before its last event is so old, whatever else is set."""
    audit_keep_months: Annotated[int | None, Field(ge=1, le=1200), _OR_NONE] = None
    """So many whole months are kept beside the present one; by default, all."""
    audit_export_container: str = "audit-exports"
    """Where months are kept as files once they go. An immutability policy keeps them there."""


class Settings(
    TriggerSettings,
    KeySettings,
    TokenSettings,
    StorageSettings,
    SealSettings,
    RetentionSettings,
):
    """All that the app needs. Read once, by `shared.bootstrap`."""

    upload_container: str = "uploads"
    blob_events_queue: str = "blob-events"
    registrations_queue: str = "artifact-registrations"
    hashing_queue: str = "artifact-hashing"
    policy_actions_queue: str = "policy-actions"
    policy_schedule: str = "0 10 * * * *"
    """When runs of policies begin: an NCRONTAB expression, read by the host."""
    audit_reads: bool = False
    """Whether reads of single artifacts are events too, which each costs a write."""
    scrub_bytes_per_day: int = Field(default=2**40, ge=0, le=2**63 - 1)
    """So many bytes are compared with their hashes each day, unasked: by default 1 TiB. 0: none."""
    scrub_days: int = Field(default=30, ge=1, le=3650)
    """Within so many days it is to come round to every artifact; sooner, it waits."""
    audit_queue: str = "audit-relay"
    """Says that there is something to be moved into the audit trail. No message is of use later."""

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues that messages are taken from, and hence set aside from."""
        return (
            self.blob_events_queue,
            self.registrations_queue,
            self.hashing_queue,
            self.policy_actions_queue,
        )
