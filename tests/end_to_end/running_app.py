"""The real app on the dev host, as a process of its own that may be stopped, killed and started."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx

from devhost.stack.app_process import PROJECT, call_registry
from devhost.stack.app_settings import app_settings
from devhost.stack.ports import LOOPBACK, free_port
from shared.database.migrate import migrate
from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.services.api_keys import ApiKeyService
from tests.end_to_end.waiting import wait_for

STOP_SECONDS = 15.0
_QUEUES = "AzureFunctionsJobHost__extensions__queues__"
MOST_POLLING = f"{_QUEUES}maxPollingInterval"
RETRY_AFTER = f"{_QUEUES}visibilityTimeout"
_READY = re.compile(r"devhost: ready on")


class RunningApp:
    """Its queues, container and host state are named after `name`, so that storage can be shared.

    The log of all its starts is one text.
    """

    def __init__(
        self,
        name: str,
        database_url: str,
        connection_string: str,
        log: Path,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.host_id = name.removeprefix("test-")[:32]
        self.pepper = secrets.token_urlsafe(48)
        self._log = log
        self._keys: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = app_settings(
            PROJECT,
            {
                "AzureWebJobsStorage": connection_string,
                "AzureFunctionsWebHost__hostid": self.host_id,
                "DEVHOST_BLOB_POLL_SECONDS": "0.5",
                # What host.json says of both only makes tests slow; looking oftener, Azurite.
                MOST_POLLING: "00:00:00.5",
                RETRY_AFTER: "00:00:02",
                "REGISTRY_DATABASE_URL": database_url,
                "REGISTRY_STORAGE": connection_string,
                "REGISTRY_KEY_PEPPER": self.pepper,
                "REGISTRY_UPLOAD_CONTAINER": f"{name}-uploads",
                "REGISTRY_BLOB_EVENTS_QUEUE": f"{name}-events",
                "REGISTRY_REGISTRATIONS_QUEUE": f"{name}-messages",
                "REGISTRY_HASHING_QUEUE": f"{name}-hashing",
                "REGISTRY_POLICY_ACTIONS_QUEUE": f"{name}-policies",
                "REGISTRY_AUDIT_QUEUE": f"{name}-audit",
                "REGISTRY_AUDIT_TABLE": f"t{name.replace('-', '')[:40]}",
                **(settings or {}),
            },
        )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def starts(self) -> int:
        """How often the app has been ready."""
        return len(_READY.findall(self.log)) if self._log.exists() else 0

    @property
    def keys(self) -> list[str]:
        """The text of every key that was made."""
        return list(self._keys.values())

    def start(self) -> None:
        """Return when the host is ready; fails with its log when it ends instead."""
        before = self.starts
        with self._log.open("ab") as log:
            self._process = process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "devhost.host"),
                    *("--app", os.fspath(PROJECT), "--port", str(self.port)),
                ],
                cwd=PROJECT,
                env=self._settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for("the app", lambda: self.starts > before or process.poll() is not None)
        assert process.poll() is None, self.log

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash or a scale-in would: without a chance to finish anything."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Leave nothing behind, however the test went."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def migrate(self) -> None:
        """Deploy the schema."""
        migrate(self._settings["REGISTRY_DATABASE_URL"])

    def command(self, *arguments: str) -> str:
        """What the registry's own command prints, on the app's database and storage."""
        return call_registry(PROJECT, self._settings, *arguments)

    def key(self, scopes: str = "read") -> str:
        """An API key, made the first time: by what the command calls, without its process."""
        if scopes not in self._keys:
            database = Database(self._settings["REGISTRY_DATABASE_URL"], size=1, timeout_seconds=10)
            with closing(database):
                keys = ApiKeyService(database, self.pepper, lambda: datetime.now(UTC))
                granted = {Scope(scope) for scope in scopes.split(",")}
                self._keys[scopes] = keys.create(f"test {scopes}", granted).text
        return self._keys[scopes]

    def get(self, path: str, /, *, key: str | None = None, **parameters: str) -> httpx.Response:
        """Ask with a key that may read, or with the one given; an empty one is no key."""
        text = self.key() if key is None else key
        headers = {"X-API-Key": text} if text else {}
        return httpx.get(f"{self.url}{path}", params=parameters, headers=headers, timeout=30)

    def history(self, **client_refs: str) -> list[dict[str, object]]:
        """The revisions of a blob, newest first; none while it is not registered."""
        answer = self.get(
            "/api/admin/artifacts/history",
            client_type="blob",
            client_refs=json.dumps(client_refs),
        )
        assert answer.status_code in {200, 404}, answer.text
        found: list[dict[str, object]] = answer.json().get("history", [])
        return found

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOP_SECONDS)
