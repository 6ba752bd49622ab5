"""`registry holds list|show|place|release`."""

import json

import pytest

from shared.models.artifacts import Artifact
from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.registering import create

PLACE = ("holds", "place", "--reason", "litigation 7")


@pytest.fixture
def made(artifacts: ArtifactService) -> Artifact:
    return create(artifacts, "one")


def test_a_hold_is_placed_shown_listed_and_released(terminal: Terminal, made: Artifact) -> None:
    hold = terminal.read(*PLACE, "--artifact", str(made.artifact_id))
    assert (hold["reason"], hold["artifact_id"]) == ("litigation 7", str(made.artifact_id))
    assert terminal.read("holds", "show", hold["hold_id"]) == hold
    assert terminal.read("holds", "list") == [hold]
    deleting = terminal.run("artifacts", "delete", str(made.artifact_id), "--yes")
    refused(deleting, 5, hold["hold_id"])
    released = terminal.read("holds", "release", hold["hold_id"], "--yes")
    assert released["released_at"]
    assert terminal.read("holds", "list") == []
    assert terminal.read("holds", "list", "--released") == [released]


def test_an_asset_or_a_selector_is_held_until_a_time(terminal: Terminal, made: Artifact) -> None:
    until = ("--until", "2050-01-31T12:00:00+01:00")
    hold = terminal.read(*PLACE, "--asset", str(made.asset_id), *until)
    assert (hold["asset_id"], hold["until"]) == (str(made.asset_id), "2050-01-31T11:00:00Z")
    selector = {"client_type": "ddh", "metadata": {"case": 7, "closed": None}}
    hold = terminal.read(*PLACE, "--selector", json.dumps(selector))
    assert hold["selector"] == selector
    assert terminal.read("holds", "show", hold["hold_id"])["selector"] == selector
    assert json.dumps(selector) in terminal.run("holds", "list").stdout


def test_one_target_is_given_and_a_release_is_confirmed(terminal: Terminal, made: Artifact) -> None:
    refused(terminal.run(*PLACE), 2, "one of --artifact, --asset and --selector")
    both = ("--artifact", str(made.artifact_id), "--asset", str(made.asset_id))
    refused(terminal.run(*PLACE, *both), 2, "one of")
    hold = terminal.read(*PLACE, "--artifact", str(made.artifact_id))
    released = terminal.run("holds", "release", hold["hold_id"])
    assert (released.exit_code, "--yes" in released.stderr) == (2, True)
    assert terminal.read("holds", "list") == [hold]
