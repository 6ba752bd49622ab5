"""A database and a storage account of a benchmark's own, and the app's settings for both."""

import secrets
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.storage.queue import QueueClient

from bench.services import registry_database
from bench.upload_source import UploadSource
from devhost.stack.app_process import PROJECT
from devhost.stack.app_settings import app_settings
from devhost.stack.azurite import Azurite
from devhost.stack.uploads import ensure_container


@dataclass(frozen=True)
class UploadServices:
    """Where uploads go, and where they are registered."""

    azurite: Azurite
    database_url: str
    environment: dict[str, str]
    log: Path

    @property
    def queue(self) -> str:
        return self.environment["REGISTRY_BLOB_EVENTS_QUEUE"]

    @property
    def container(self) -> str:
        return self.environment["REGISTRY_UPLOAD_CONTAINER"]

    @contextmanager
    def source(self) -> Generator[UploadSource]:
        """Somebody who uploads."""
        source = UploadSource(self.azurite.connection_string, self.container, self.queue)
        yield source
        source.close()


@contextmanager
def upload_services() -> Generator[UploadServices]:
    """Both, empty, with the container and the queue; gone at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-bench-") as directory,
        registry_database(Path(directory) / "postgres") as database_url,
    ):
        azurite = Azurite(Path(directory) / "azurite")
        azurite.start()
        try:
            yield _prepared(azurite, database_url, Path(directory) / "app.log")
        finally:
            azurite.stop()


def _prepared(azurite: Azurite, database_url: str, log: Path) -> UploadServices:
    environment = app_settings(
        PROJECT,
        {
            "AzureWebJobsStorage": azurite.connection_string,
            "REGISTRY_BLOB_TRIGGER_SOURCE": "EventGrid",  # else the host would look for blobs too
            "REGISTRY_DATABASE_URL": database_url,
            "REGISTRY_KEY_PEPPER": secrets.token_hex(32),
            "REGISTRY_STORAGE": azurite.connection_string,
        },
    )
    services = UploadServices(azurite, database_url, environment, log)
    ensure_container(azurite, services.container)
    with QueueClient.from_connection_string(azurite.connection_string, services.queue) as queue:
        queue.create_queue()
    return services
