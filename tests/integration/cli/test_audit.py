"""`registry audit query|history|errors`."""

from pathlib import Path

from shared.bootstrap import Registry
from shared.models.audit import AuditEvent
from tests.integration.audit_reading import ARTIFACTS, DAYS, RUN, Sql
from tests.integration.audit_reading import keep as keep_event
from tests.integration.cli.auditing import history, numbers, registry, trail
from tests.integration.cli.conftest import Terminal, refused

__all__ = ["history", "registry", "trail"]  # fixtures that are asked for by their names


def test_events_are_listed_and_narrowed(terminal: Terminal, history: list[AuditEvent]) -> None:
    def listed(*arguments: str) -> list[int]:
        return [event["number"] for event in terminal.read("audit", "query", *arguments)]

    assert listed("--all") == listed() == numbers(history)
    assert listed("--limit", "3") == numbers(history)[:3]
    for arguments, expected in [
        (["--failed"], [e for e in history if not e.success]),
        (["--success", "--run", str(RUN)], [e for e in history if e.success and e.run_id]),
        (["--artifact", str(ARTIFACTS[1])], [e for e in history if e.artifact_id == ARTIFACTS[1]]),
        (["--operation", "status_update"], [e for e in history if e.operation == "status_update"]),
        (["--action", "create"], [e for e in history if e.action == "create"]),
        (["--actor", "function:policies"], [e for e in history if e.actor == "function:policies"]),
        (
            ["--start", DAYS[1].isoformat(), "--end", DAYS[2].isoformat()],
            [e for e in history if DAYS[1] <= e.time < DAYS[2]],
        ),
    ]:
        assert expected
        assert listed(*arguments) == numbers(expected), arguments
    assert "raise --limit" in terminal.run("audit", "query", "--limit", "3").stderr


def test_an_artifacts_history_is_listed(terminal: Terminal, history: list[AuditEvent]) -> None:
    told = terminal.read("audit", "history", str(ARTIFACTS[2]))
    expected = [event for event in history if event.artifact_id == ARTIFACTS[2]]
    assert [event["number"] for event in told] == numbers(expected)


def test_a_table_says_what_failed_and_moves_no_cursor(
    terminal: Terminal, registry: Registry, sql: Sql
) -> None:
    keep_event(sql, "tried", error="x: \x1b[31mNo.\n")
    registry.audit.relay.relay(60)
    shown = terminal.run("audit", "query").stdout
    assert "x: \\u001b[31mNo.\\n" in shown
    assert "\x1b" not in shown


def test_what_failed_is_counted(terminal: Terminal, history: list[AuditEvent]) -> None:
    told = terminal.read("audit", "errors", "--start", DAYS[1].isoformat())
    assert told == [
        {"by": "operation", "name": "status_update", "errors": 6},
        {"by": "reason", "name": "artifact-held", "errors": 6},
    ]


def test_wrong_use_is_told(terminal: Terminal) -> None:
    for arguments in (
        ["query", "--artifact", "1"],
        ["query", "--start", "yesterday"],
        ["history"],
        ["query", "--all", "--limit", "1"],
    ):
        assert terminal.run("audit", *arguments).exit_code == 2, arguments


def test_the_trail_is_for_administrators(
    terminal: Terminal, reader_key: str, tmp_path: Path
) -> None:
    reader = terminal.having(REGISTRY_API_KEY=reader_key)
    file = tmp_path / "a.csv"
    for arguments in (["query"], ["errors"], ["export", str(file)]):
        refused(reader.run("audit", *arguments), 4, "does not allow this")
    assert list(tmp_path.glob("*a.csv*")) == []
