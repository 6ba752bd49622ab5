"""`registry policies list|show|export|apply|remove`."""

import json
from pathlib import Path

import pytest

from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.drafting import policy, policy_list

REPOSITORY = Path(__file__).parents[3]
FILE = """\
policies:
- name: one
  kind: delete
  clock: created
  age: P31D
- name: keep
  kind: purge
  clock: deleted
  age: P7Y
  locked: true
  selector:
    container: evidence
"""


@pytest.fixture
def registry(registry: Registry) -> Registry:
    registry.policies.apply(policy_list(policy("one"), policy("old", priority=5)))
    return registry


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policies.yaml"
    path.write_text(FILE)
    return path


def in_force(registry: Registry) -> tuple[int, list[str]]:
    kept = registry.policies.read()
    return kept.version, [each.name for each in kept.policies]


def test_policies_are_listed_in_the_order_in_which_they_run(
    terminal: Terminal, registry: Registry
) -> None:
    assert [each["name"] for each in terminal.read("policies", "list")] == ["old", "one"]
    shown = terminal.run("policies", "list").stdout.splitlines()
    assert shown[2].split() == [
        "one",
        "100",
        "true",
        "delete",
        "created",
        "P30D",
        *["0", "false", "{}"],
    ]
    assert terminal.read("policies", "show", "one") == policy("one").as_json()
    refused(terminal.run("policies", "show", "other"), 3, "No such policy")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_exported_can_be_applied_and_changes_nothing(
    terminal: Terminal, registry: Registry, tmp_path: Path, form: str
) -> None:
    odd = policy("odd", selector={"metadata": {"no": "010", "n": [1.5, None, 10**20]}})
    registry.policies.put(odd)
    exported = terminal.run("policies", "export", "-o", form)
    assert "target_tier" not in exported.stdout
    path = tmp_path / "exported"
    path.write_text(exported.stdout, encoding="utf-8")
    told = terminal.run("policies", "apply", str(path), "--dry-run")
    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "nothing would change\n")


def test_what_is_applied_is_shown_first(terminal: Terminal, registry: Registry, file: Path) -> None:
    told = terminal.run("policies", "apply", str(file), "--dry-run")
    heads = [line for line in told.stdout.splitlines() if line.startswith("policy ")]
    assert heads == ["policy keep: added", "policy one: changed", "policy old: removed"]
    assert {"-age: P30D", "+age: P31D"} <= {*told.stdout.splitlines()}
    assert in_force(registry) == (2, ["old", "one"])
    done = terminal.run("policies", "apply", str(file), "--yes", "-o", "json")
    assert (done.exit_code, json.loads(done.stdout)["version"]) == (0, 3)
    assert told.stderr == "keep is locked: it cannot be removed or shortened again\n"
    assert done.stderr == told.stdout + told.stderr
    assert in_force(registry) == (3, ["keep", "one"])


def test_what_is_wrong_is_told_by_line_and_pointer(
    terminal: Terminal, registry: Registry, file: Path
) -> None:
    file.write_text(FILE.replace("P7Y", "7 years"))
    refused(terminal.run("policies", "apply", str(file), "--yes"), 1, f"{file}:9: /policies/1/age")
    file.write_text(FILE.replace("P7Y", "P1001Y"))
    long = terminal.run("policies", "apply", str(file), "--yes")
    refused(long, 1, f"{file}:9: /policies/1/age", "an age is at most 1,000 years, P1000Y")
    assert "timedelta" not in long.stderr
    file.write_text(FILE.replace("policies:", "rules:"))
    wrong = terminal.run("policies", "apply", str(file), "--yes")
    refused(wrong, 2, "holds no policies: it begins with 'policies:'")
    assert in_force(registry)[0] == 2


def test_what_is_locked_is_not_removed(terminal: Terminal, registry: Registry, file: Path) -> None:
    terminal.run("policies", "apply", str(file), "--yes")
    refused(
        terminal.run("policies", "remove", "keep", "--yes"),
        5,
        "locked: Nobody removes the policy 'keep'",
    )
    file.write_text(FILE.partition("- name: keep")[0])
    refused(
        terminal.run("policies", "apply", str(file), "--dry-run"),
        5,
        "locked: Nobody removes the policy 'keep'",
    )
    assert in_force(registry) == (3, ["keep", "one"])


def test_what_cannot_be_taken_back_is_said_before_the_question(
    terminal: Terminal, registry: Registry, file: Path
) -> None:
    registry.policies.put(policy("keep", age="P5Y", locked=True))
    locked = policy("keep", age="P7Y", locked=True)
    file.write_text(json.dumps({"policies": [locked.as_json()]}))
    declined = terminal.answer("n", "policies", "apply", str(file))
    warning = "keep is locked: it cannot be removed or shortened again\n"
    shown, _, question = declined.stderr.partition(warning)
    assert ("+age: P7Y" in shown, "Apply these changes?" in question) == (True, True)
    assert in_force(registry)[0] == 3
    others = [policy("one", locked=True), policy("keep", age="P5Y", locked=True)]
    file.write_text(json.dumps({"policies": [each.as_json() for each in others]}))
    told = terminal.run("policies", "apply", str(file), "--dry-run")
    assert told.stderr == warning.replace("keep", "one")


def test_a_policy_is_removed_once_that_is_confirmed(terminal: Terminal, registry: Registry) -> None:
    refused(terminal.run("policies", "remove", "one", stdin="y\n"), 2, "--yes")
    declined = terminal.answer("n", "policies", "remove", "one")
    assert (declined.exit_code, declined.stdout) == (1, "")
    assert "policy one: removed" in declined.stderr
    assert "-age: P30D" in declined.stderr
    assert in_force(registry)[0] == 2
    confirmed = terminal.answer("y", "policies", "remove", "one")
    assert confirmed.exit_code == 0, confirmed.stderr
    assert in_force(registry) == (3, ["old"])
    assert terminal.read("policies", "remove", "old", "--yes")["removed"][0]["name"] == "old"
    refused(terminal.run("policies", "remove", "old", "--yes"), 3, "No such policy")


def test_changing_policies_needs_the_scope_admin(
    terminal: Terminal, registry: Registry, file: Path
) -> None:
    key = registry.keys.create("reader", [Scope.READ, Scope.WRITE]).text
    reader = terminal.having(REGISTRY_API_KEY=key)
    refused(reader.run("policies", "apply", str(file), "--yes"), 4)
    refused(reader.run("policies", "remove", "one", "--yes"), 4)
    assert [each["name"] for each in reader.read("policies", "list")] == ["old", "one"]
    assert in_force(registry)[0] == 2


def test_the_file_in_the_documentation_is_one(terminal: Terminal, registry: Registry) -> None:
    page = (REPOSITORY / "docs" / "policies.md").read_text()
    written = page.partition("## The file")[2].partition("```yaml\n")[2].partition("```")[0]
    registry.policies.apply(policy_list())
    told = terminal.read("policies", "apply", "-", "--dry-run", stdin=written)
    assert [each["name"] for each in told["added"]] == [
        "cool-old-revisions",
        "keep-evidence",
        "purge-deleted",
    ]
