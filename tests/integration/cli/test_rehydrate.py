"""`registry artifacts rehydrate`: asked for, and waited for if that is wanted."""

from dataclasses import replace

import pytest

from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.tiers import ColderTier
from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal
from tests.integration.http.conftest import build_registry
from tests.integration.rehydrating import Rehydrating, rehydrating

__all__ = ["rehydrating"]  # a fixture that is asked for by its name

SLEEP = "cli.artifact_changes.sleep"


@pytest.fixture
def registry(database: Database, artifacts: ArtifactService, rehydrating: Rehydrating) -> Registry:
    return replace(build_registry(database, artifacts), rehydration=rehydrating.service)


def test_bytes_are_asked_for(terminal: Terminal, rehydrating: Rehydrating) -> None:
    command = ("artifacts", "rehydrate", str(rehydrating.archived().artifact_id))
    told = terminal.read(*command, "--tier", "cool", "--priority", "high")
    assert (told["rehydrating_to"], told["storage_tier"]) == ("Cool", "Archive")
    assert rehydrating.store.asked == [("a.tif", "Cool", "High")]


def test_what_is_waited_for_is_back_in_the_end(
    terminal: Terminal, rehydrating: Rehydrating, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact_id = rehydrating.archived().artifact_id
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            rehydrating.store.thaw()
        rehydrating.check()

    monkeypatch.setattr(SLEEP, sleep)
    told = terminal.read("artifacts", "rehydrate", str(artifact_id), "--wait")
    assert (told["rehydrating_to"], told["storage_tier"]) == (None, "Hot")
    assert len(slept) == 2


def test_what_is_back_at_once_is_not_waited_for(
    terminal: Terminal, rehydrating: Rehydrating
) -> None:
    artifact_id = rehydrating.archived(tier=ColderTier.COLD).artifact_id
    told = terminal.read("artifacts", "rehydrate", str(artifact_id), "--wait")
    assert told["storage_tier"] == "Hot"


def test_what_does_not_come_back_is_a_failure(
    terminal: Terminal, rehydrating: Rehydrating, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact_id = rehydrating.archived().artifact_id

    def lose(_: float) -> None:
        rehydrating.uploads.container.delete_blob("a.tif")
        rehydrating.check()

    monkeypatch.setattr(SLEEP, lose)
    result = terminal.run("artifacts", "rehydrate", str(artifact_id), "--wait")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did not come back" in result.stderr


def test_archive_is_no_tier_to_come_back_to(terminal: Terminal, rehydrating: Rehydrating) -> None:
    artifact_id = rehydrating.archived().artifact_id
    result = terminal.run("artifacts", "rehydrate", str(artifact_id), "--tier", "archive")
    assert result.exit_code == 2
    assert "'archive' is not one of" in result.stderr
    assert not rehydrating.store.asked
