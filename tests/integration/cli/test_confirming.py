"""What cannot be undone is asked at a terminal: one that is there, with somebody who answers."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from shared.bootstrap import Registry
from shared.errors import MalformedMessage
from shared.models.api_keys import Scope
from shared.models.set_aside import FailureFilter, Message
from shared.services.artifact_service import ArtifactService
from shared.services.set_aside import SetAsideService
from tests.integration.cli.conftest import Terminal
from tests.integration.registering import create

REPOSITORY = Path(__file__).parents[3]


def answered(answer: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command on a terminal at which this is typed; its output goes into pipes."""
    kept = {name: value for name, value in os.environ.items() if "REGISTRY_" not in name}
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode() + b"\n")
        return subprocess.run(  # noqa: PLW1510 - the exit code is what is looked at
            [sys.executable, "-m", "cli.registry", *arguments],
            cwd=REPOSITORY,
            env=kept | settings,
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("no", ["n", ""])
def test_a_key_lives_on_where_its_end_is_not_confirmed(
    registry: Registry, database_url: str, no: str
) -> None:
    made = registry.keys.create("ci", [Scope.READ])
    settings = {"REGISTRY_DATABASE_URL": database_url, "REGISTRY_KEY_PEPPER": "p" * 32}
    declined = answered(no, "keys", "revoke", str(made.key_id), **settings)
    assert (declined.returncode, declined.stdout) == (1, "")
    assert "nothing was changed" in declined.stderr
    assert registry.keys.get(made.key_id).revoked_at is None
    confirmed = answered("y", "keys", "revoke", str(made.key_id), **settings)
    assert (confirmed.returncode, confirmed.stdout) == (0, "")
    assert registry.keys.get(made.key_id).revoked_at is not None


def test_an_artifact_stays_where_its_delete_is_not_confirmed(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a")
    command = ("artifacts", "delete", str(made.artifact_id))
    declined = answered("n", *command, **terminal.settings)
    assert (declined.returncode, declined.stdout) == (1, "")
    assert str(made.artifact_id) in declined.stderr
    assert "status: active" in declined.stderr
    assert artifacts.get_by_id(made.artifact_id) == made
    confirmed = answered("y", *command, **terminal.settings)
    assert confirmed.returncode == 0
    assert artifacts.get_by_id(made.artifact_id).status == "deleted"


def test_a_failure_stays_open_where_its_discard_is_not_confirmed(
    terminal: Terminal, registry: Registry, set_aside: SetAsideService
) -> None:
    set_aside.set_aside(Message("blob-events", b"not JSON"), MalformedMessage("No JSON."))
    (failure,) = registry.failures.list_failures(FailureFilter()).failures
    command = ("ingest", "failures", "discard", str(failure.set_aside_id))
    declined = answered("n", *command, **terminal.settings)
    assert (declined.returncode, declined.stdout) == (1, "")
    assert "explanation: No JSON." in declined.stderr
    assert registry.failures.get(failure.set_aside_id).state == "open"
    assert answered("y", *command, **terminal.settings).returncode == 0
    assert registry.failures.get(failure.set_aside_id).state == "discarded"
