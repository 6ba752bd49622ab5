"""`registry reconcile`, as an operator runs it."""

import json
from pathlib import Path

from tests.integration.backfilling import Backfilling, Command, backfilling, command
from tests.integration.uploads import Uploads

__all__ = ["backfilling", "command"]  # fixtures that are asked for by their names


def test_differences_are_told_then_repaired_then_gone(
    command: Command, backfilling: Backfilling, uploads: Uploads, tmp_path: Path
) -> None:
    container = uploads.container.container_name
    report = tmp_path / "report.jsonl"
    uploads.put("a", b"x")
    for flags, code, found, repaired in (([], 1, 1, 0), (["--repair"], 0, 1, 1), ([], 0, 0, 0)):
        told = command("reconcile", container, *flags, "--report", str(report), "-o", "json")
        assert told.exit_code == code, told.stderr
        [line] = [each for each in json.loads(told.stdout) if each["finding"] == "unregistered"]
        assert (line["found"], line["repaired"]) == (found, repaired)
        assert line["examples"] == ["a"] * found
        assert "compared 1 blobs" in told.stderr
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(line["path"], line["is_repaired"]) for line in lines] == [("a", False), ("a", True)]


def test_what_cannot_be_compared_is_said(command: Command) -> None:
    missing = command("reconcile", "missing-container")
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert missing.stderr == "error: There is no container 'missing-container'.\n"
    elsewhere = command("reconcile", "container", "--account", "elsewhere")
    assert elsewhere.exit_code == 1
    assert "is not one that this registry serves" in elsewhere.stderr
