"""Timers, on the registry that the routes have."""

import psycopg
import pytest
from azure.functions.timer import TimerRequest
from psycopg.rows import DictRow

from functions import timers
from shared.bootstrap import Registry
from shared.models.builds import BuildRequest
from shared.models.registrations import UNATTRIBUTED
from tests.integration.registering import create

_NOTES = "SELECT FROM registry.artifact_changes UNION ALL SELECT FROM registry.run_changes"


def test_every_minute_what_changed_is_folded_of_artifacts_and_of_builds(
    registry: Registry, sql: psycopg.Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "registry", lambda: registry)
    create(registry.artifacts)
    registry.builds.records.create(BuildRequest(build_number="one"), UNATTRIBUTED)
    assert len(sql.execute(_NOTES).fetchall()) == 2
    timers.fold_statistics.build().get_user_function()(TimerRequest())
    assert sql.execute(_NOTES).fetchall() == []
    assert registry.builds.dashboard.read().total == 1
