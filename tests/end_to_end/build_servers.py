"""Build servers: each with a home, tools, a key, and a right to storage of its own."""

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from os import environ, fspath
from pathlib import Path
from typing import Any

import httpx
from azure.storage.blob import ContainerClient, ContainerSasPermissions, generate_container_sas

from devhost.stack.azurite import Azurite
from tests.end_to_end.running_app import RunningApp

_SCRIPTS = Path(__file__).with_name("build_workflow")
_RUN_JQ = Path(__file__).with_name("run_jq.py")
IMAGE = "base-image.qcow2"

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class BuildServer:
    """What it runs finds these settings, and nothing of the environment that the tests run in."""

    home: Path
    settings: dict[str, str] = field(repr=False)

    @property
    def image(self) -> Path:
        """What state 10 leaves behind."""
        return self.home / IMAGE

    def working_on(self, build_id: str) -> "BuildServer":
        """The same server, whose scripts and questions are about this build."""
        return replace(self, settings={**self.settings, "BUILD_ID": build_id})

    def ask(self, method: str, path: str = "", body: object = None) -> Any:
        """What the registry answers about the build, with the key of this server."""
        answer = httpx.request(
            method,
            f"{self.settings['API_URL']}/builds/{self.settings['BUILD_ID']}{path}",
            json=body,
            headers={"X-API-Key": self.settings["API_KEY"]},
            timeout=30,
        )
        assert answer.is_success, answer.text
        return answer.json()

    def script(self, name: str, *arguments: str) -> Done:
        return self._run("bash", fspath(_SCRIPTS / name), *arguments)

    def bldst(self, *arguments: str) -> Done:
        return self._run("bldst", *arguments)

    def read(self, *arguments: str) -> Any:
        """What a command of `bldst` that ends well writes as JSON."""
        done = self.bldst(*arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def files(self) -> set[str]:
        """What lies in its folder, hidden files as well."""
        return {file.name for file in self.home.iterdir()} - {"bin"}

    def _run(self, *command: str) -> Done:
        return subprocess.run(
            command,
            cwd=self.home,
            env=self.settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def build_server(
    home: Path, app: RunningApp, azurite: Azurite, container: ContainerClient, *, may_write: bool
) -> BuildServer:
    """A server whose key and whose signature allow either both or reading alone."""
    tools = home / "bin"
    tools.mkdir(parents=True)
    run_jq = shlex.join((sys.executable, fspath(_RUN_JQ)))
    (tools / "jq").write_text(f'#!/bin/sh\nexec {run_jq} "$@"\n')
    (tools / "jq").chmod(0o700)
    (tools / "bldst").symlink_to(Path(sys.executable).with_name("bldst"))
    key = app.key("read,write" if may_write else "read")
    token = _signature(azurite, container, "rcw" if may_write else "r")
    return BuildServer(
        home,
        {
            "HOME": fspath(home),
            "PATH": f"{tools}:{environ['PATH']}",
            "API_URL": f"{app.url}/api",
            "API_KEY": key,
            "BLDST_API_URL": f"{app.url}/api",
            "BLDST_API_KEY": key,
            "PROJECT_BUCKET": container.url,
            "STORAGE_TOKEN": token,
            "BLDST_UPLOAD_URL": f"{container.url}?{token}",
        },
    )


def _signature(azurite: Azurite, container: ContainerClient, permissions: str) -> str:
    return generate_container_sas(
        azurite.account,
        container.container_name,
        account_key=azurite.account_key,
        permission=ContainerSasPermissions.from_string(permissions),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
