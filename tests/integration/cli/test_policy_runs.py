"""`registry policies preview|run|runs|run-status`."""

import pytest

from cli import policy_runs as commands
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.artifacts import Artifact
from shared.models.ids import new_id
from shared.repositories.policy_actions import PolicyActionRepository
from shared.services import policy_runs
from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.enforcing import Enforcing
from tests.integration.failing import OwnQueue
from tests.integration.http.conftest import POLICY_ACTIONS, build_registry

PREVIEW = ("policies", "preview", "delete-old")
RUN = ("policies", "run", "delete-old")


@pytest.fixture
def registry(database: Database, artifacts: ArtifactService, own_queue: OwnQueue) -> Registry:
    return build_registry(database, artifacts, queues={POLICY_ACTIONS: own_queue})


@pytest.fixture
def enforcing(registry: Registry, own_queue: OwnQueue) -> Enforcing:
    return Enforcing(registry, own_queue)


@pytest.fixture
def old(enforcing: Enforcing) -> list[Artifact]:
    """Three revisions that are due, of which the second is held; a fourth is the current one."""
    made = enforcing.revise(4)[:3]
    enforcing.hold(made[1])
    return made


@pytest.fixture
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry has no time to act while it is asked to."""
    monkeypatch.setattr(policy_runs, "_SECONDS", 0.0)


def test_a_preview_lists_candidates_and_sums_up_the_rest(
    terminal: Terminal, enforcing: Enforcing, old: list[Artifact]
) -> None:
    seen = terminal.run(*PREVIEW)
    assert seen.exit_code == 0
    header, *rows = seen.stdout.splitlines()
    assert header.split() == ["artifact_id", "due_at", "bytes_freed", "reason", "warnings"]
    assert [row.split()[0] for row in rows] == [str(old[place].artifact_id) for place in (0, 2)]
    assert "delete-old: superseded 2026-01-" in rows[0]
    assert seen.stderr == "to be acted on: 2 artifacts, 20 bytes; left alone: 1 hold\n"
    assert terminal.read(*PREVIEW, "--refused") == [
        {"artifact_id": str(old[1].artifact_id), "reason": "hold"}
    ]
    assert enforcing.states() == ["live"] * 4


def test_a_preview_says_where_there_is_more_and_all_follows_the_pages(
    terminal: Terminal, old: list[Artifact]
) -> None:
    first = terminal.run(*PREVIEW, "--limit", "1", "-o", "json")
    assert str(old[0].artifact_id) in first.stdout
    assert "there are more: raise --limit, or say --all" in first.stderr
    assert "to be acted on so far: 1 artifact, 10 bytes; left alone: none" in first.stderr
    everything = terminal.read(*PREVIEW, "--all")
    assert [each["artifact_id"] for each in everything] == [
        str(old[place].artifact_id) for place in (0, 2)
    ]


def test_a_dry_run_only_looks(
    terminal: Terminal, enforcing: Enforcing, old: list[Artifact]
) -> None:
    del old
    told = terminal.read(*RUN, "--dry-run")
    assert (told["dry_run"], told["acted"], told["refused"]) == (True, 2, {"hold": 1})
    assert enforcing.states() == ["live"] * 4
    none = terminal.run("policies", "runs")
    assert (none.exit_code, none.stdout, none.stderr) == (0, "", "no runs\n")
    assert terminal.read("policies", "runs") == []


def test_a_run_is_done_listed_and_shown(
    terminal: Terminal, enforcing: Enforcing, old: list[Artifact]
) -> None:
    del old
    run = terminal.read(*RUN, "--yes")
    assert (run["status"], run["acted"], run["refused"]) == ("finished", 2, {"hold": 1})
    assert enforcing.states() == ["deleted", "live", "deleted", "live"]
    assert terminal.read("policies", "run-status", run["run_id"]) == run
    again = terminal.read(*RUN, "--yes")
    assert again["acted"] == 0
    listed = ("policies", "runs", "delete-old")
    assert terminal.read(*listed) == [again, run]
    assert terminal.read(*listed, "--limit", "1") == [again]
    shown = terminal.run(*listed)
    assert (len(shown.stdout.splitlines()), shown.stderr) == (3, "")
    assert terminal.read("policies", "runs", "another") == []


def test_a_run_is_confirmed_after_what_it_would_do_was_said(
    terminal: Terminal, enforcing: Enforcing, old: list[Artifact]
) -> None:
    del old
    unasked = terminal.run(*RUN)
    refused(unasked, 2, "--yes", "--dry-run")
    declined = terminal.answer("n", *RUN)
    assert (declined.exit_code, declined.stdout) == (1, "")
    assert "to be acted on: 2 artifacts, 20 bytes; left alone: 1 hold" in declined.stderr
    assert "nothing was changed" in declined.stderr
    assert enforcing.states() == ["live"] * 4
    confirmed = terminal.answer("y", *RUN)
    assert confirmed.exit_code == 0
    assert enforcing.states() == ["deleted", "live", "deleted", "live"]


@pytest.mark.usefixtures("_slow", "old")
def test_a_run_that_goes_on_is_followed_until_it_has_ended(
    terminal: Terminal, enforcing: Enforcing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def let_work(_: float) -> None:
        enforcing.work()

    monkeypatch.setattr(commands, "sleep", let_work)
    run = terminal.read(*RUN, "--yes")
    assert (run["status"], run["acted"]) == ("finished", 2)


@pytest.mark.usefixtures("_slow", "old")
def test_a_run_that_nobody_waits_for_goes_on_at_the_registry(
    terminal: Terminal, enforcing: Enforcing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "sleep", interrupt)
    left = terminal.run(*RUN, "--yes")
    (run,) = terminal.read("policies", "runs")
    assert (left.exit_code, left.stdout, run["status"]) == (130, "", "running")
    assert f"goes on at the registry: registry policies run-status {run['run_id']}" in left.stderr
    skipped = terminal.run(*RUN, "--yes", "--no-wait")
    assert skipped.exit_code == 5
    assert "skipped" in skipped.stdout
    assert f"another run is under way: {run['run_id']}" in skipped.stderr
    enforcing.work()
    assert terminal.read("policies", "run-status", run["run_id"])["acted"] == 2


@pytest.mark.usefixtures("_slow")
def test_a_run_in_which_something_failed_ends_with_1(
    terminal: Terminal,
    enforcing: Enforcing,
    old: list[Artifact],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail_one(_: float) -> None:
        enforcing.registry.enforcement.runs.advance()
        with database.connection() as connection:
            claims = PolicyActionRepository(connection)
            claims.settle(old[0].artifact_id, "failed", reason="There is no such blob.")
        enforcing.deliver()
        enforcing.registry.enforcement.runs.advance()

    monkeypatch.setattr(commands, "sleep", fail_one)
    ended = terminal.run(*RUN, "--yes")
    assert ended.exit_code == 1
    assert "There is no such blob." in ended.stdout
    assert enforcing.states() == ["live", "live", "deleted", "live"]
    assert "1 failed; the next run tries them again" in ended.stderr


def test_what_is_unknown_is_not_found(terminal: Terminal) -> None:
    for command in ("preview", "run"):
        yes = ("--yes",) if command == "run" else ()
        refused(terminal.run("policies", command, "unknown", *yes), 3, "policy")
    refused(terminal.run("policies", "run-status", str(new_id())), 3, "run")
