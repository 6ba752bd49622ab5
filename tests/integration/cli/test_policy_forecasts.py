"""`registry policies simulate|plot`."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from matplotlib.dates import num2date  # pyright: ignore[reportUnknownVariableType]

from cli.policy_forecasts import _today  # pyright: ignore[reportPrivateUsage]
from cli.policy_plots import draw
from shared.models.artifacts import Artifact
from shared.models.byte_history import ByteDay
from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.clock import TickingClock
from tests.integration.registering import create

SIMULATE = ("policies", "simulate")
FILE = """
policies:
- {name: old, kind: delete, clock: superseded, age: P10D}
- {name: older, kind: delete, clock: superseded, age: P30D}
"""


@pytest.fixture
def made(artifacts: ArtifactService, clock: TickingClock) -> Artifact:
    """Superseded twenty days ago."""
    clock.now = datetime.now(UTC) - timedelta(days=20)
    first, _ = [
        create(artifacts, name, blob_path=name, storage_account="a", container="c", size_bytes=10)
        for name in ("first", "second")
    ]
    return first


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "policies.yaml"
    path.write_text(FILE)
    return str(path)


def test_a_policy_of_a_file_is_replayed_by_month(
    terminal: Terminal, made: Artifact, file: str
) -> None:
    since = ("--since", made.created_at.date().isoformat())
    month = (made.created_at + timedelta(days=10)).strftime("%Y-%m")
    told = terminal.read(*SIMULATE, "old", "--file", file, *since)
    assert told == [{"month": month, "artifacts": 1, "bytes": 10}]
    assert terminal.read(*SIMULATE, "older", "--file", file, *since) == []
    nothing = terminal.run(*SIMULATE, "older", "--file", file, *since)
    assert "would have done nothing" in nothing.stderr
    printed = terminal.run(*SIMULATE, "old", "--file", file, *since)
    assert printed.stdout.split() == ["month", "artifacts", "bytes", month, "1", "10"]


def test_a_policy_that_is_kept_is_replayed_by_its_name(terminal: Terminal, made: Artifact) -> None:
    since = ("--since", made.created_at.isoformat())
    assert terminal.read(*SIMULATE, "cool-superseded", *since) == []
    refused(terminal.run(*SIMULATE, "unknown", *since), 3, "such policy")


def test_what_cannot_be_replayed_is_refused(terminal: Terminal, file: str) -> None:
    since = ("--since", "2026-01-01")
    refused(terminal.run(*SIMULATE, *since), 2, "give the name of a policy")
    refused(terminal.run(*SIMULATE, *since, "--file", file), 2, "give the name of one")
    refused(terminal.run(*SIMULATE, "none", *since, "--file", file), 2, "holds 0 policies")
    assert terminal.run(*SIMULATE, "old", "--since", "yesterday").exit_code == 2
    ahead = terminal.run(*SIMULATE, "old", "--file", file, "--since", "2999-01-01")
    refused(ahead, 1, "has not come yet")


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_a_picture_shows_what_lies_where_and_what_will_be_done(
    terminal: Terminal,
    made: Artifact,
    artifacts: ArtifactService,
    tmp_path: Path,
    suffix: str,
    begins: bytes,
) -> None:
    artifacts.fold_changes()
    picture = tmp_path / f"picture.{suffix}"
    drawn = terminal.run("policies", "plot", str(picture))
    assert (drawn.exit_code, drawn.stdout) == (0, ""), drawn.stderr
    content = picture.read_bytes()
    assert content.startswith(begins)
    if suffix == "svg":
        for text in (b"no tier known, active", b"superseded", b"cool-superseded (archive)"):
            assert text in content


def test_where_nothing_is_known_the_picture_says_so(terminal: Terminal, tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    assert terminal.run("policies", "plot", str(picture), "--days", "7").exit_code == 0
    assert picture.read_text().count(">nothing<") == 2


def test_a_picture_that_cannot_be_is_refused(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(terminal.run("policies", "plot", "picture.gif"), 2, ".svg or .png")
    nowhere = str(tmp_path / "none" / "picture.svg")
    refused(terminal.run("policies", "plot", nowhere), 2, "cannot be written")
    monkeypatch.delitem(sys.modules, "cli.policy_plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    missing = terminal.run("policies", "plot", str(tmp_path / "picture.svg"))
    refused(missing, 2, "the extra 'plots'")


def test_the_picture_has_as_many_days_as_asked_for_and_ends_today() -> None:
    today = date(2026, 3, 1)
    lying = {"storage_tier": None, "status": "active", "artifacts": 1, "bytes": 1}
    days = [ByteDay.model_validate({**lying, "day": today - timedelta(n)}) for n in range(90)]
    above = draw(days, [], today, timedelta(90)).axes[0]
    first, last = (num2date(edge).replace(tzinfo=None) for edge in above.get_xlim())
    assert (last - first) == timedelta(90)
    assert first + timedelta(hours=12) == datetime(2025, 12, 2)  # noqa: DTZ001 - of a day
    assert len(above.patches) == 90
    assert _today({"today": "2026-03-01"}) == today
    assert _today({}) == datetime.now(UTC).date()
