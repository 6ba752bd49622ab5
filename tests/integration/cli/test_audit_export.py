"""`registry audit export`."""

# pyarrow carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import csv
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow.parquet import read_table
from typer.testing import Result

from devhost.stack.azurite import Azurite
from shared import bootstrap
from shared.models.audit import AuditEvent
from tests.integration.auditing import Trail
from tests.integration.cli.auditing import history, numbers, registry, trail
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.uploads import Uploads

__all__ = ["history", "registry", "trail"]  # fixtures that are asked for by their names

_BUILT = ("database_settings", "database", "accounts", "audit_table")


@pytest.fixture
def export(
    terminal: Terminal,
    trail: Trail,
    azurite: Azurite,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Result]:
    """Exports to a blob where no registry is named, with nothing built that others built."""
    direct = terminal.without("REGISTRY_API_URL", "REGISTRY_API_KEY").having(
        REGISTRY_DATABASE_URL=database_url,
        REGISTRY_STORAGE=azurite.connection_string,
        REGISTRY_AUDIT_TABLE=trail.prefix,
    )

    def run(*arguments: str) -> Result:
        for part in _BUILT:
            build = inspect.unwrap(getattr(bootstrap, part))
            monkeypatch.setattr(bootstrap, part, bootstrap._once(build))  # pyright: ignore[reportPrivateUsage]
        return direct.run("audit", "export", "--blob", *arguments)

    return run


def test_events_are_exported_to_a_file_in_the_form_that_its_name_says(
    terminal: Terminal, history: list[AuditEvent], tmp_path: Path
) -> None:
    expected = [event for event in history if not event.success]
    for form in ("json", "jsonl", "csv", "parquet"):
        file, other = tmp_path / f"trail.{form}", tmp_path / "x.csv"
        told = terminal.run("audit", "export", str(file), "--failed")
        assert (told.exit_code, told.stdout) == (0, "")
        assert told.stderr == f"{len(expected)} events\n"
        assert in_file(file, form) == numbers(expected)
        named = terminal.run("audit", "export", str(other), "--format", form, "--failed")
        assert named.exit_code == 0
        assert in_file(other, form) == numbers(expected)


def in_file(file: Path, form: str) -> list[int]:
    match form:
        case "json":
            return [event["number"] for event in json.loads(file.read_text())]
        case "jsonl":
            return [json.loads(line)["number"] for line in file.read_text().splitlines()]
        case "csv":
            with file.open(newline="") as opened:
                return [int(row["number"]) for row in csv.DictReader(opened)]
        case _:
            return [row["number"] for row in read_table(file).to_pylist()]


def test_events_are_exported_to_a_new_blob_without_the_api(
    export: Callable[..., Result], history: list[AuditEvent], uploads: Uploads
) -> None:
    container = uploads.container.container_name
    address = uploads.container.get_blob_client("a b.jsonl").url
    for name, blob in ((f"{container}/all.jsonl", "all.jsonl"), (address, "a b.jsonl")):
        told = export(name)
        assert (told.exit_code, told.stderr) == (0, f"{len(history)} events\n")
        lines = uploads.container.download_blob(blob).readall().splitlines()
        assert [json.loads(line)["number"] for line in lines] == numbers(history)
    refused(export(f"{container}/all.jsonl"), 1, "already")
    refused(export(f"{container}-none/a.csv"), 3, "container")
    refused(export(f"{address}?sig=x", "--format", "csv"), 2, "--blob")
    refused(
        export("https://elsewhere.blob.core.windows.net/container/a.csv"), 1, "not one that this"
    )
    refused(export("https://example.org/c/a.csv"), 2, "--blob")
    refused(export(f"{container}/new.csv", "--operation", "x" * 101), 2, "--operation")


def test_a_file_that_is_there_stays_until_all_is_written(
    terminal: Terminal, history: list[AuditEvent], tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("before")
    unreachable = terminal.having(REGISTRY_API_KEY="wrong")
    refused(unreachable.run("audit", "export", str(file)), 4)
    assert [each.read_text() for each in tmp_path.glob("*a.csv*")] == ["before"]
    assert terminal.run("audit", "export", str(file)).exit_code == 0
    assert in_file(file, "csv") == numbers(history)


def test_where_to_and_in_which_form_is_said(terminal: Terminal, tmp_path: Path) -> None:
    refused(terminal.run("audit", "export"), 2, "--format")
    refused(terminal.run("audit", "export", "--format", "csv"), 2, "either a file or --blob")
    refused(terminal.run("audit", "export", "a.csv", "--blob", "c/a.csv"), 2, "either")
    refused(terminal.run("audit", "export", "a.txt"), 2, "--format")
    refused(terminal.run("audit", "export", str(tmp_path), "--format", "csv"), 2, "regular")
    nowhere = str(tmp_path / "none" / "a.csv")
    refused(terminal.run("audit", "export", nowhere), 2, "cannot be written")
