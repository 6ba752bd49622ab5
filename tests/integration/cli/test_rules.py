"""`registry rules list|show|export|test`, and files that `apply` refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.bootstrap import Registry
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.ruling import rule, rule_list

REPOSITORY = Path(__file__).parents[3]
BLOB = ("uploads", "flood-2024/site-a.tif")
REFS = {"dataset_id": "flood-2024", "resource_id": "site-a"}
RULES = """\
# What our pipelines upload.
rules:
- name: first
  container: uploads
  path: '{dataset_id}/{resource_id}.tif'
  client_type: ddh
  client_refs: {dataset_id: '{dataset_id}', resource_id: '{resource_id}'}
- name: second
  priority: 7
  container: uploads
  path:
  - '{dataset_id}/{resource_id}.tiff'
  - '{dataset_id}{resource_id}'
  client_type: ddh
  client_refs:
    dataset_id: '{dataset_id}'
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def test_rules_are_listed_in_the_order_in_which_they_are_asked(
    terminal: Terminal, registry: Registry
) -> None:
    assert terminal.read("rules", "list") == []
    registry.rules.apply(rule_list(rule("a"), rule("b", priority=5), rule("c", priority=100)))
    assert [each["name"] for each in terminal.read("rules", "list")] == ["b", "a", "c"]
    shown = terminal.run("rules", "list").stdout.splitlines()
    assert shown[1].split()[:3] == ["b", "5", "true"]


def test_one_rule_is_shown(terminal: Terminal, registry: Registry) -> None:
    registry.rules.put(rule("one"))
    assert terminal.read("rules", "show", "one") == rule("one").model_dump(mode="json")
    refused(terminal.run("rules", "show", "other"), 3, "No such ingestion rule")
    refused(terminal.run("rules", "show", "No Name"), 1, "/name")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_exported_can_be_applied_and_changes_nothing(
    terminal: Terminal, registry: Registry, file: Path, form: str
) -> None:
    odd = rule("odd", metadata={"no": "010", "n": [1.5, None, True, 10**20], "é": "a\u2028b: {{"})
    registry.rules.apply(rule_list(rule("one"), odd))
    exported = terminal.run("rules", "export", "-o", form)
    file.write_text(exported.stdout, encoding="utf-8")
    told = terminal.run("rules", "apply", str(file), "--dry-run")
    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "nothing would change\n")


def test_a_trial_says_what_would_be_registered(terminal: Terminal, registry: Registry) -> None:
    registry.rules.apply(rule_list(rule("one"), rule("two", path="{*rest}", client_refs={"a": 1})))
    command = ("rules", "test", *BLOB, "--metadata", "registry_producer=a", "--metadata", "b=c")
    told = terminal.read(*command, "--tag", "registry_producer=from=tag")
    assert (told["rule"], told["values"], told["also_matching"]) == ("one", REFS, ["two"])
    assert told["registration"]["producer"] == "from=tag"
    table = terminal.run(*command)
    assert table.exit_code == 0
    assert "one" in table.stdout
    assert "content_hash" not in table.stdout
    refused(terminal.run(*command, "--tag", "x"), 2, "--tag", "NAME=TEXT")
    refused(terminal.run(*command, "--tag", "x=1", "--tag", "x=2"), 2, "x twice")


def test_a_trial_that_no_rule_knows_says_so(terminal: Terminal) -> None:
    told = terminal.run("rules", "test", *BLOB, "--account", "other", "-o", "json")
    assert (told.exit_code, told.stderr) == (0, "no rule matches: the blob itself is the asset\n")
    assert json.loads(told.stdout)["registration"]["client_refs"]["account"] == "other"


def test_a_trial_that_nothing_would_come_of_ends_with_1(terminal: Terminal) -> None:
    command = ("rules", "test", *BLOB, "--tag", "registry_stage=final")
    for arguments in (command, (*command, "-o", "json")):
        told = terminal.run(*arguments)
        assert told.exit_code == 1
        assert "/tags/registry_stage" in told.stdout


def test_a_file_is_tried_before_it_is_applied(
    terminal: Terminal, registry: Registry, file: Path
) -> None:
    file.write_text(RULES.partition("- name: second")[0])
    assert terminal.read("rules", "test", *BLOB, "--file", str(file))["rule"] == "first"
    file.write_text(RULES)
    wrong = terminal.run("rules", "test", *BLOB, "--file", str(file))
    refused(wrong, 1, f"{file}:13: /rules/1/path/1")
    assert registry.rules.read().version == 0


def test_what_is_wrong_with_a_rule_is_told_by_line_and_pointer(
    terminal: Terminal, registry: Registry, file: Path
) -> None:
    file.write_text(RULES)
    refused(terminal.run("rules", "apply", str(file), "--yes"), 1, f"{file}:13: /rules/1/path/1")
    refused(terminal.run("rules", "apply", "-", "--yes", stdin=RULES), 1, "stdin:13: /rules/1/path")
    file.write_text(RULES.replace("priority", "prioritty"))
    refused(terminal.run("rules", "apply", str(file), "--yes"), 1, f"{file}:9: /rules/1/prioritty")
    file.write_text(json.dumps({"rules": [{"name": "x"}]}))
    refused(terminal.run("rules", "apply", str(file), "--yes"), 1, f"{file}: /rules/0/container")
    assert registry.rules.read().version == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no rules"),
        (b"- name: one", "holds no rules"),
        (b"rule: []", "holds no rules"),
        (b'{"rules": [', "line 1 column 12"),
        (b'{"rules": [], "rules": []}', "twice"),
        (b'{"rules": NaN}', "NaN"),
        (b"rules: [", "line 2, column 1"),
        (b"rules:\n- a: &a x\n- b: *a", "line 2, column 6: anchors and aliases"),
        (b"rules:\n- path: {a}/{b}.tif", "line 2, column 12"),
        (b"rules:\n\xff", "not UTF-8"),
        (b"rules: []\n" + b"#" * 1_048_576, "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_file_of_rules_is_not_even_sent(
    terminal: Terminal, file: Path, content: bytes, told: str
) -> None:
    file.write_bytes(content)
    nowhere = terminal.having(REGISTRY_API_URL="http://127.0.0.1:1")
    refused(nowhere.run("rules", "apply", str(file), "--yes"), 2, str(file), told)


def test_the_file_in_the_documentation_is_one(terminal: Terminal) -> None:
    page = (REPOSITORY / "docs" / "rules.md").read_text()
    file = page.partition("```yaml\n")[2].partition("```")[0]
    told = terminal.read("rules", "apply", "-", "--dry-run", stdin=file)
    assert [each["name"] for each in told["added"]] == ["other-exports", "rasters", "table-exports"]


def test_a_file_that_cannot_be_read_is_named(terminal: Terminal, tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    refused(terminal.run("rules", "apply", str(missing), "--yes"), 2, str(missing), "No such file")
    refused(terminal.run("rules", "apply", str(tmp_path), "--yes"), 2, str(tmp_path), "directory")


def test_a_byte_order_mark_is_no_content(terminal: Terminal, file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfrules: []")
    told: Any = terminal.read("rules", "apply", str(file), "--yes")
    assert told["version"] == 0
