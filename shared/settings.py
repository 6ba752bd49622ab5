"""The app's settings: environment variables, as Azure Functions hands app settings over."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class TriggerSettings(BaseSettings):
    """What the functions' triggers depend on: known before anything is connected."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_", frozen=True, extra="ignore")

    blob_trigger_source: Literal["LogsAndContainerScan", "EventGrid"] = "LogsAndContainerScan"
    """`EventGrid` on plans that refuse the polling source (Flex Consumption)."""


class DatabaseSettings(BaseSettings):
    """What reaches the database: enough to migrate it."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_", frozen=True, extra="ignore")

    database_url: SecretStr
    """PostgreSQL 14 or later, directly or behind PgBouncer in transaction mode."""
    database_pool_size: int = Field(default=8, ge=1, le=200)
    """Connections that one process opens at most."""
    database_timeout_seconds: float = Field(default=10.0, gt=0)
    """How long a call waits for a connection before it is told that there is none."""


class KeySettings(DatabaseSettings):
    """What makes and checks API keys."""

    key_pepper: SecretStr = Field(min_length=32)
    """Keys the HMAC of API keys at rest: at least 32 random bytes, written as text."""


class Settings(TriggerSettings, KeySettings):
    """All that the app needs. Read once, by `shared.bootstrap`."""

    storage: SecretStr
    """Connection string of the storage account that holds uploads and queues."""
    upload_container: str = "uploads"
    blob_events_queue: str = "blob-events"
    registrations_queue: str = "artifact-registrations"
