"""`registry rules apply`: shown, asked for, and then exactly that."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.yaml_text import as_yaml
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from shared.models.documents import DocumentChanges
from shared.models.rule_files import RuleChanges, RuleFile
from shared.models.rules import IngestionRule
from shared.services.rules import RuleService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.ruling import RULE, rule, rule_list

CHANGED_RULE = RULE | {"name": "one", "path": "{dataset_id}/{resource_id}.tiff"}
NEW_RULE = RULE | {"name": "new"}
FIRST = rule_list(rule("one"), rule("old"), rule("same"))
SECOND = {"rules": [CHANGED_RULE, NEW_RULE, RULE | {"name": "same"}]}


@pytest.fixture
def file(tmp_path: Path, registry: Registry) -> str:
    """A file that changes a rule, adds one and leaves one out."""
    registry.rules.apply(FIRST)
    path = tmp_path / "rules.yaml"
    path.write_text(as_yaml(json.loads(json.dumps(SECOND))))
    return str(path)


def in_force(registry: Registry) -> tuple[int, list[str]]:
    file = registry.rules.read()
    return file.version, [each.name for each in file.rules]


def assert_is_told(diff: str) -> None:
    lines = diff.splitlines()
    heads = [line for line in lines if line.startswith("rule ")]
    assert heads == ["rule new: added", "rule one: changed", "rule old: removed"]
    assert '-path: "{dataset_id}/{resource_id}.tif"' in lines
    assert '+path: "{dataset_id}/{resource_id}.tiff"' in lines
    assert "+name: new" in lines
    assert "-name: old" in lines
    assert " name: one" in lines


def test_a_dry_run_shows_the_difference_and_changes_nothing(
    terminal: Terminal, registry: Registry, file: str
) -> None:
    told = terminal.run("rules", "apply", file, "--dry-run")
    assert (told.exit_code, told.stderr) == (0, "")
    assert_is_told(told.stdout)
    as_json = terminal.read("rules", "apply", file, "--dry-run")
    assert RuleChanges.model_validate(as_json).version == 1
    assert in_force(registry) == (1, ["old", "one", "same"])


def test_what_is_applied_is_shown_on_stderr_and_its_result_on_stdout(
    terminal: Terminal, registry: Registry, file: str
) -> None:
    done = terminal.run("rules", "apply", file, "--yes", "-o", "json")
    assert done.exit_code == 0
    assert_is_told(done.stderr)
    assert json.loads(done.stdout)["version"] == 2
    assert in_force(registry) == (2, ["new", "one", "same"])
    again = terminal.run("rules", "apply", file, "--yes")
    assert (again.exit_code, again.stderr) == (0, "nothing changes\n")
    assert in_force(registry)[0] == 2


def test_json_and_stdin_do_as_well(terminal: Terminal, registry: Registry) -> None:
    done = terminal.run("rules", "apply", "-", "--yes", stdin=json.dumps(SECOND))
    assert done.exit_code == 0, done.stderr
    assert in_force(registry) == (1, ["new", "one", "same"])


def test_where_nobody_can_be_asked_yes_is_needed(
    terminal: Terminal, registry: Registry, file: str
) -> None:
    refused(terminal.run("rules", "apply", file, stdin="y\n"), 2, "--yes", "--dry-run")
    assert in_force(registry)[0] == 1


def test_nothing_is_changed_until_it_is_confirmed(
    terminal: Terminal, registry: Registry, file: str
) -> None:
    for no in ("n", ""):
        declined = terminal.answer(no, "rules", "apply", file)
        assert (declined.exit_code, declined.stdout) == (1, "")
        assert_is_told(declined.stderr)
        assert "nothing was changed" in declined.stderr
        assert in_force(registry)[0] == 1
    confirmed = terminal.answer("y", "rules", "apply", file)
    assert confirmed.exit_code == 0, confirmed.stderr
    assert in_force(registry) == (2, ["new", "one", "same"])


def test_rules_that_changed_since_they_were_shown_are_left_as_they_are(
    terminal: Terminal, registry: Registry, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = RuleService.apply

    def apply_and_be_followed(
        self: RuleService, *given: Any, **options: Any
    ) -> DocumentChanges[IngestionRule]:
        done = apply(self, *given, **options)
        if options["dry_run"]:
            self.put(rule("meanwhile"))
        return done

    monkeypatch.setattr(RuleService, "apply", apply_and_be_followed)
    late = terminal.run("rules", "apply", file, "--yes")
    assert (late.exit_code, late.stdout) == (5, "")
    assert registry.rules.read() == RuleFile(
        version=2, rules=[rule("meanwhile"), rule("old"), rule("one"), rule("same")]
    )


def test_changing_rules_needs_the_scope_admin(
    terminal: Terminal, registry: Registry, file: str
) -> None:
    key = registry.keys.create("reader", [Scope.READ, Scope.WRITE]).text
    reader = terminal.having(REGISTRY_API_KEY=key)
    refused(reader.run("rules", "apply", file, "--yes"), 4)
    assert [each["name"] for each in reader.read("rules", "list")] == ["old", "one", "same"]
    assert in_force(registry)[0] == 1
