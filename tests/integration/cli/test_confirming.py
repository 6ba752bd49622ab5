"""What cannot be undone is asked at a terminal: one that is there, with somebody who answers."""

from shared.bootstrap import Registry
from shared.errors import MalformedMessage
from shared.models.api_keys import Scope
from shared.models.set_aside import FailureFilter, Message
from shared.services.artifact_service import ArtifactService
from shared.services.set_aside import SetAsideService
from tests.integration.cli.conftest import AtTerminal, Terminal
from tests.integration.registering import create
from tests.integration.test_key_commands import registry as run_registry


def test_a_key_lives_on_where_its_end_is_not_confirmed(
    registry: Registry, database_url: str
) -> None:
    made = registry.keys.create("ci", [Scope.READ])
    command = ("keys", "revoke", str(made.key_id))
    for no in ("n", ""):
        declined = run_registry(database_url, *command, runner=AtTerminal(no))
        assert (declined.exit_code, declined.stdout) == (1, "")
        assert "nothing was changed" in declined.stderr
        assert registry.keys.get(made.key_id).revoked_at is None
    confirmed = run_registry(database_url, *command, runner=AtTerminal("y"))
    assert (confirmed.exit_code, confirmed.stdout) == (0, "")
    assert registry.keys.get(made.key_id).revoked_at is not None


def test_an_artifact_stays_where_its_delete_is_not_confirmed(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a")
    command = ("artifacts", "delete", str(made.artifact_id))
    declined = terminal.answer("n", *command)
    assert (declined.exit_code, declined.stdout) == (1, "")
    assert str(made.artifact_id) in declined.stderr
    assert "status: active" in declined.stderr
    assert artifacts.get_by_id(made.artifact_id) == made
    confirmed = terminal.answer("y", *command)
    assert confirmed.exit_code == 0
    assert artifacts.get_by_id(made.artifact_id).status == "deleted"


def test_a_failure_stays_open_where_its_discard_is_not_confirmed(
    terminal: Terminal, registry: Registry, set_aside: SetAsideService
) -> None:
    set_aside.set_aside(Message("blob-events", b"not JSON"), MalformedMessage("No JSON."))
    (failure,) = registry.failures.list_failures(FailureFilter()).failures
    command = ("ingest", "failures", "discard", str(failure.set_aside_id))
    declined = terminal.answer("n", *command)
    assert (declined.exit_code, declined.stdout) == (1, "")
    assert "explanation: No JSON." in declined.stderr
    assert registry.failures.get(failure.set_aside_id).state == "open"
    assert terminal.answer("y", *command).exit_code == 0
    assert registry.failures.get(failure.set_aside_id).state == "discarded"
