"""The services that the app needs, started as steps of the stack."""

import os
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
from psycopg import sql

from devhost.stack.azurite import Azurite
from devhost.stack.directory import StackDirectory
from devhost.stack.ports import free_port, preferred_or_free
from devhost.stack.postgres import EmbeddedPostgres
from devhost.stack.steps import Steps

DATABASE = "registry"
POSTGRES_PORT = 55432  # not 5432: a server of the machine's own is often there
AZURITE_PORTS = (10000, 10001, 10002)  # where tools look for a storage emulator


@dataclass(frozen=True)
class ServiceStarter:
    """Starts services in `directory`; `closing` stops them again, in reverse order."""

    directory: StackDirectory
    steps: Steps
    closing: ExitStack
    any_ports: bool
    """Give the services free ports, even when their customary ones are free."""

    def start_database(self) -> str:
        """URL of the registry's database: `REGISTRY_DATABASE_URL`, else one of our own."""
        given = os.environ.get("REGISTRY_DATABASE_URL")
        if given:
            return given
        server = EmbeddedPostgres(self.directory.postgres, port=self._port(POSTGRES_PORT))
        with self.steps.step(f"PostgreSQL on port {server.port}"):
            self.closing.callback(server.stop)
            server.start()
            _ensure_database(server.url())
        return server.url(DATABASE)

    def start_storage(self) -> Azurite:
        """A storage emulator whose data outlives it."""
        blob, queue, table = (self._port(port) for port in AZURITE_PORTS)
        azurite = Azurite(self.directory.azurite, ports=(blob, queue, table))
        with self.steps.step(f"Azurite on ports {blob}, {queue} and {table}"):
            self.closing.callback(azurite.stop)
            azurite.start()
        return azurite

    def _port(self, preferred: int) -> int:
        return free_port() if self.any_ports else preferred_or_free(preferred)


def _ensure_database(server_url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
