"""The scripts of a deployment, with Azure's command line played and the database real.

Not proven: what the real `az` and `azd` answer.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devhost.stack.ports import LOOPBACK
from devhost.stack.postgres import THROW_AWAY, EmbeddedPostgres
from shared.settings import KeySettings
from tests.deployment import APP, DEPLOYER, Deployment, empty

HOOKS = Path("infra/hooks")
VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"
SITE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/func"

# Notes what it is asked and what it is given, and answers from a file where there is one.
COMMAND = """#!/bin/sh
cd "$(dirname "$0")/../told"
echo "$(basename "$0") $*" >> calls
case "$*" in
    *"--body @-"*) cat > body; echo 1 > secrets ;;
    *"--query length("*) cat secrets 2> /dev/null || echo 0 ;;
    *get-access-token*) echo '{"accessToken": "only-here", "expires_on": 4102444800}' ;;
    *user.type*) cat signed-in ;;
    *"user.name"*) echo an-application ;;
    *"--query id"*) echo an-id ;;
    *"--query userPrincipalName"*) echo ann@example.org ;;
    *"--query displayName"*) echo pipeline ;;
esac
"""


class Azure:
    """Commands named `az` and `azd` in front of all others, and what they were told."""

    def __init__(self, directory: Path) -> None:
        self._told = directory / "told"
        self._commands = directory / "commands"
        for made in (self._told, self._commands):
            made.mkdir()
        for name in ("az", "azd"):
            command = self._commands / name
            command.write_text(COMMAND)
            command.chmod(command.stat().st_mode | stat.S_IXUSR)

    def note(self, name: str, text: str) -> None:
        (self._told / name).write_text(text)

    def read(self, name: str) -> str:
        return (self._told / name).read_text()

    def calls(self, beginning: str) -> list[str]:
        return [call for call in self.read("calls").splitlines() if call.startswith(beginning)]

    def run(self, hook: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = f"{self._commands}:{os.environ['PATH']}"
        return subprocess.run(
            [HOOKS / hook],
            env=os.environ | {"PATH": path, "REGISTRY_PYTHON": sys.executable} | variables,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def azure(tmp_path: Path) -> Azure:
    return Azure(tmp_path)


@pytest.fixture
def deployment(session_directory: Path) -> Iterator[Deployment]:
    server = EmbeddedPostgres(session_directory / "hooks", settings=THROW_AWAY)
    server.start()
    yield empty(server)
    server.stop()


def test_the_database_is_made_ready_before_code_is_deployed(
    azure: Azure, deployment: Deployment
) -> None:
    variables = {
        "REGISTRY_ADMINISTRATOR_NAME": DEPLOYER,
        "REGISTRY_DATABASE_HOST": LOOPBACK,
        "REGISTRY_DATABASE_PORT": str(deployment.server.port),
        "REGISTRY_DATABASE_NAME": "registry",
        "REGISTRY_IDENTITY_NAME": APP,
        "REGISTRY_IDENTITY_OBJECT_ID": "8f1c3c0e-63f5-4c59-9d0c-1d0f2a3b4c5d",
    }
    first = azure.run("predeploy.sh", **variables)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[0].startswith("0001")
    again = azure.run("predeploy.sh", **variables)
    assert (again.returncode, again.stdout) == (0, "Nothing to migrate.\n")
    tokens = azure.calls("az account get-access-token")
    assert tokens
    assert all("--resource https://ossrdbms-aad.database.windows.net" in call for call in tokens)
    with psycopg.connect(deployment.url(APP)) as app:
        assert app.execute("SELECT count(*) FROM registry.artifacts").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("TRUNCATE registry.artifacts")

    deployment.server.stop()
    unreached = azure.run("predeploy.sh", **variables)
    assert unreached.returncode == 1
    assert "REGISTRY_ADMINISTRATOR_ADDRESS" in unreached.stderr
    assert "Traceback" not in unreached.stderr


def test_the_pepper_is_made_once_and_is_no_argument(azure: Azure) -> None:
    variables = {
        "REGISTRY_VAULT_ID": VAULT,
        "REGISTRY_APP_ID": SITE,
        "REGISTRY_PEPPER_NAME": "key-pepper",
    }
    for _ in range(2):
        made = azure.run("postprovision.sh", **variables)
        assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    pepper = json.loads(azure.read("body"))["properties"]["value"]
    KeySettings(database_url="postgresql:///", key_pepper=pepper)  # pyright: ignore[reportArgumentType] - as text
    assert len(set(pepper)) > 8
    assert pepper not in azure.read("calls")
    puts = azure.calls("az rest --method put")
    assert len(puts) == 1
    assert f"{VAULT}/secrets/key-pepper?api-version=" in puts[0]
    # A run that was stopped after it made the pepper is made good by the next one.
    assert len(azure.calls("az rest --method post")) == 2


@pytest.mark.parametrize(
    ("signed_in", "name", "kind"),
    [("user", "ann@example.org", "User"), ("servicePrincipal", "pipeline", "ServicePrincipal")],
)
def test_who_deploys_administers_the_database_unless_somebody_is_named(
    azure: Azure, signed_in: str, name: str, kind: str
) -> None:
    azure.note("signed-in", signed_in)
    assert azure.run("preprovision.sh").returncode == 0
    assert azure.calls("azd") == [
        f"azd env set REGISTRY_ADMINISTRATOR_NAME {name}",
        f"azd env set REGISTRY_ADMINISTRATOR_TYPE {kind}",
        "azd env set REGISTRY_ADMINISTRATOR_ID an-id",
    ]
    assert azure.run("preprovision.sh", REGISTRY_ADMINISTRATOR_ID="a-group").returncode == 0
    assert len(azure.calls("azd")) == 3
