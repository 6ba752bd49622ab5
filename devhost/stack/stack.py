"""The whole registry on this machine: services, schema, app, keys; started and stopped in order."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event

from devhost.stack.app_process import AppProcess, call_registry
from devhost.stack.app_settings import app_settings
from devhost.stack.azurite import Azurite
from devhost.stack.directory import StackDescription, StackDirectory
from devhost.stack.errors import StackError
from devhost.stack.keys import load_or_make_keys, read_or_make_pepper
from devhost.stack.ports import free_port, is_free
from devhost.stack.services import ServiceStarter
from devhost.stack.steps import Steps
from devhost.stack.uploads import ensure_container, upload_token
from devhost.stack.welcome import shell_variables, welcome

WATCH_SECONDS = 0.5


@dataclass(frozen=True)
class StackOptions:
    """What the caller may choose."""

    app: Path
    """Folder of `function_app.py`."""
    port: int
    """Port of the API."""
    any_ports: bool = False
    """Give the services free ports, even when their customary ones are free."""


class LocalStack:
    """Runs until `stop` is set, or until the app ends; then nothing of it is left running."""

    def __init__(
        self, directory: StackDirectory, options: StackOptions, steps: Steps, stop: Event
    ) -> None:
        self._directory = directory
        self._options = options
        self._steps = steps
        self._stop = stop

    def run(self) -> None:
        """Raises `StackError` when something does not start or the app ends by itself.

        Raises `StopRequested` when `stop` was set before everything had started.
        """
        with self._directory.hold(), ExitStack() as closing:
            self._directory.end_leftover_app()
            self._check_port()
            closing.callback(self._directory.forget)
            app = self._start(closing)
            while not self._stop.wait(WATCH_SECONDS):
                app.check()

    def _check_port(self) -> None:
        port = self._options.port
        if not is_free(port):
            raise StackError(
                f"Port {port} is taken by another program; try `make run PORT={free_port()}`."
            )

    def _start(self, closing: ExitStack) -> AppProcess:
        starter = ServiceStarter(self._directory, self._steps, closing, self._options.any_ports)
        database_url = starter.start_database()
        azurite = starter.start_storage()
        environment = self._environment(database_url, azurite.connection_string)
        self._prepare(azurite, environment)
        app = self._start_app(closing, environment)
        self._publish(app.url, azurite, environment)
        return app

    def _environment(self, database_url: str, storage: str) -> dict[str, str]:
        return app_settings(
            self._options.app,
            {
                "AzureWebJobsStorage": storage,
                "REGISTRY_DATABASE_URL": database_url,
                "REGISTRY_KEY_PEPPER": read_or_make_pepper(self._directory.pepper),
                "REGISTRY_STORAGE": storage,
            },
        )

    def _prepare(self, azurite: Azurite, environment: Mapping[str, str]) -> None:
        with self._steps.step("Upload container and database schema"):
            ensure_container(azurite, environment["REGISTRY_UPLOAD_CONTAINER"])
            call_registry(self._options.app, environment, "migrate")

    def _start_app(self, closing: ExitStack, environment: Mapping[str, str]) -> AppProcess:
        app = AppProcess(self._options.app, self._options.port, environment)
        with self._steps.step(f"Registry at {app.url}"):
            closing.callback(app.stop)
            self._directory.record_app(app.start())
            app.wait_until_ready(self._stop)
        return app

    def _publish(self, api_url: str, azurite: Azurite, environment: Mapping[str, str]) -> None:
        with self._steps.step("API keys"):
            make_key = partial(_make_key, self._options.app, environment)
            keys = load_or_make_keys(self._directory.keys, api_url, make_key)
        description = StackDescription(
            api_url=api_url,
            admin_key=keys.admin,
            read_key=keys.read,
            write_key=keys.write,
            storage_connection_string=azurite.connection_string,
            container=environment["REGISTRY_UPLOAD_CONTAINER"],
            database_url=environment["REGISTRY_DATABASE_URL"],
            pid=os.getpid(),
        )
        token = upload_token(azurite, description.container, datetime.now(UTC))
        self._directory.describe(description, shell_variables(description, azurite, token))
        self._steps.console.print(welcome(description, self._directory), highlight=False)


def _make_key(app: Path, environment: Mapping[str, str], name: str, scopes: str) -> str:
    return call_registry(app, environment, "keys", "create", "--name", name, "--scopes", scopes)
