"""`bldst project`: catalogues of states, out of files."""

import json
from pathlib import Path

import pytest
import yaml

from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.integration.cli.conftest import Terminal, refused

CATALOGUE = """\
name: images
states:
  - {code: 10, name: base-image, initial: true, required_artifacts: [base]}
  - {code: 90, name: broken, error: true}
  - {code: 100, name: done, final: true}
"""


@pytest.fixture
def keeper(server: Terminal, registry: Registry) -> Terminal:
    """Who may change catalogues."""
    return server.having(BLDST_API_KEY=registry.keys.create("keeper", list(Scope)).text)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "images.yaml"
    path.write_text(CATALOGUE)
    return str(path)


def test_a_file_becomes_a_catalogue_by_which_names_are_known(keeper: Terminal, file: str) -> None:
    made = keeper.read("project", "apply", file, "--yes")
    assert [state["code"] for state in made["states"]] == [10, 90, 100]
    assert keeper.read("project", "list") == [made]
    shown = keeper.run("project", "show", "images").stdout
    assert ("base-image" in shown, '["base"]' in shown) == (True, True)
    build = keeper.read("build", "create", "1", "--project", "images")
    told = keeper.read("build", "add-state", build["id"], "--name", "base-image")
    assert told["state"] == 10


def test_what_is_shown_can_be_applied_again(keeper: Terminal, file: str) -> None:
    made = keeper.read("project", "apply", file, "--yes")
    for form in ("yaml", "json"):
        shown = keeper.run("project", "show", "images", "-o", form).stdout
        assert yaml.safe_load(shown)["name"] == "images"
        again = keeper.read("project", "apply", "-", "--yes", stdin=shown)
        assert again["states"] == made["states"]


def test_a_fault_of_a_file_is_told_by_its_line(keeper: Terminal, file: str) -> None:
    Path(file).write_text(CATALOGUE.replace("code: 90", "code: 101"))
    refused(keeper.run("project", "apply", file, "--yes"), 1, f"{file}:4: /states/1/code")
    Path(file).write_text("states: []\n")
    refused(keeper.run("project", "apply", file, "--yes"), 2, "name")
    assert keeper.read("project", "list") == []


def test_nothing_is_changed_or_forgotten_without_a_yes(keeper: Terminal, file: str) -> None:
    told = keeper.run("project", "apply", file)
    assert (told.exit_code, told.stdout) == (2, "")
    assert ("+- code: 10" in told.stderr, "say --yes" in told.stderr) == (True, True)
    keeper.read("project", "apply", file, "--yes")
    assert keeper.run("project", "remove", "images").exit_code == 2
    assert len(keeper.read("project", "list")) == 1
    removed = keeper.read("project", "remove", "images", "--yes")
    assert json.dumps(removed) == '{"removed": "images"}'
    refused(keeper.run("project", "show", "images"), 3)


def test_a_build_server_changes_no_catalogue(server: Terminal, file: str) -> None:
    refused(server.run("project", "apply", file, "--yes"), 4)
