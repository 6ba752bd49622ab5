"""App settings of the stack: the example, then the user, then what only the stack knows."""

from pathlib import Path

import pytest

from devhost.stack.app_settings import app_settings

PROJECT = Path(__file__).parents[2]


def test_the_user_beats_the_example_and_the_stack_beats_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRY_UPLOAD_CONTAINER", "mine")
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://user")
    settings = app_settings(PROJECT, {"REGISTRY_DATABASE_URL": "postgresql://stack"})
    assert settings["REGISTRY_UPLOAD_CONTAINER"] == "mine"
    assert settings["REGISTRY_DATABASE_URL"] == "postgresql://stack"
    assert settings["REGISTRY_BLOB_EVENTS_QUEUE"] == "blob-events"
