"""`registry artifacts get|list|history|chain|duplicates|stats`."""

import json

import pytest
import yaml

from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.registering import REFS, create, hash_of

UNKNOWN = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90"
HOSTILE = "[red]x[/red]\x1b[2J\x9b31m\u202e\nnext"


def test_one_artifact_in_each_form(terminal: Terminal, artifacts: ArtifactService) -> None:
    made = create(artifacts, "a", metadata={"title": "Überschwemmung", "code": "012"})
    found = terminal.read("artifacts", "get", str(made.artifact_id))
    assert found == json.loads(made.model_dump_json())
    written = terminal.run("artifacts", "get", str(made.artifact_id), "-o", "yaml").stdout
    assert yaml.safe_load(written) == found
    assert "Überschwemmung" in written
    table = terminal.run("artifacts", "get", str(made.artifact_id))
    assert (table.exit_code, table.stderr) == (0, "")
    assert str(made.artifact_id) in table.stdout


def test_exit_codes_tell_refusals_apart(terminal: Terminal) -> None:
    refused(terminal.run("artifacts", "get", UNKNOWN), 3, "No such artifact: ")
    wrong = terminal.having(REGISTRY_API_KEY="ark_wrong")
    refused(wrong.run("artifacts", "get", UNKNOWN), 4, "A valid API key or token is needed")
    assert terminal.run("artifacts", "get", "no-id").exit_code == 2
    invalid = terminal.run("artifacts", "list", "--client-type", "x" * 65)
    refused(invalid, 1, "A value is not valid", "/client_type: ")


def test_a_list_ends_at_its_limit_and_says_that_there_is_more(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = [create(artifacts, str(place), client_refs={"n": place}) for place in range(3)]
    ids = [str(artifact.artifact_id) for artifact in made]
    two = terminal.run("artifacts", "list", "--limit", "2", "--sort", "created_at", "-o", "json")
    assert [row["artifact_id"] for row in json.loads(two.stdout)] == ids[:2]
    assert "--all" in two.stderr
    everything = terminal.run("artifacts", "list", "--all", "-o", "json")
    assert [row["artifact_id"] for row in json.loads(everything.stdout)] == ids[::-1]
    assert everything.stderr == ""
    refused(terminal.run("artifacts", "list", "--all", "--limit", "2"), 2, "--all")


def test_all_of_a_list_goes_beyond_one_page(terminal: Terminal, artifacts: ArtifactService) -> None:
    lines = "\n".join(
        json.dumps({"client_type": "m", "client_refs": {"n": n}}) for n in range(1001)
    )
    assert terminal.run("artifacts", "batch", "-", stdin=lines).exit_code == 0
    listed = terminal.read("artifacts", "list", "--client-type", "m", "--all")
    assert len({row["artifact_id"] for row in listed}) == 1001


def test_filters_reach_the_registry(terminal: Terminal, artifacts: ArtifactService) -> None:
    wanted = create(
        artifacts, "a", client_refs={"n": 1, "of": "limit"}, source_job_id="run/1; a&b=c"
    )
    create(artifacts, "b", client_refs={"n": 2, "of": "limit"}, source_job_id="run/2")
    for arguments in (
        ["--ref", "of=limit", "--refs", '{"n": 1}', "--client-type", "ddh"],
        ["--job-id", "run/1; a&b=c"],
        ["--hash", f"sha256:{hash_of('a')[4:]}"],
    ):
        found = terminal.read("artifacts", "list", *arguments)
        assert [row["artifact_id"] for row in found] == [str(wanted.artifact_id)], arguments
    assert terminal.read("artifacts", "list", "--created-before", "2001-01-01T00:00:00+02:00") == []
    assert terminal.run("artifacts", "list", "--created-before", "2001-01-01").exit_code == 2


def test_history_and_chain_follow_an_asset(terminal: Terminal, artifacts: ArtifactService) -> None:
    first, second, third = [create(artifacts, content) for content in "abc"]
    by_refs = ["artifacts", "history", "--client-type", "ddh"]
    revisions = terminal.read(*by_refs, "--refs", json.dumps(REFS))
    assert [row["revision"] for row in revisions] == [3, 2, 1]
    partial = terminal.run(*by_refs, "--ref", "dataset_id=flood-2024", "-o", "json")
    assert [row["revision"] for row in json.loads(partial.stdout)] == [3, 2, 1]
    assert "part of" in partial.stderr
    chain = ["artifacts", "chain", str(second.artifact_id)]
    assert [row["revision"] for row in terminal.read(*chain)] == [1, 2, 3]
    forward = terminal.read(*chain, "--direction", "forward")
    assert str(third.artifact_id) in [row["artifact_id"] for row in forward]
    assert str(first.artifact_id) not in [row["artifact_id"] for row in forward]
    refused(terminal.run(*by_refs), 2, "--ref")
    refused(terminal.run(*by_refs, "--ref", "a=1", "--refs", '{"a": 1}'), 2, "a twice")


def test_duplicates_and_their_holders(terminal: Terminal, artifacts: ArtifactService) -> None:
    for client in ("ddh", "etl"):
        create(artifacts, "same", client_type=client, size_bytes=5)
    groups = terminal.read("artifacts", "duplicates", "--across-clients")
    assert [group["clients"] for group in groups] == [{"ddh": 1, "etl": 1}]
    holders = terminal.read("artifacts", "duplicates", "--hash", hash_of("same"))
    assert {row["client_type"] for row in holders} == {"ddh", "etl"}


def test_statistics_as_a_table_and_as_they_are(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    create(artifacts, "a", size_bytes=5)
    assert terminal.read("artifacts", "stats")["stats"]["statuses"]["active"]["size_bytes"] == 5
    table = terminal.run("artifacts", "stats", "--client-type", "nobody").stdout
    assert [line.split()[:2] for line in table.splitlines()][-1] == ["all", "0"]


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
@pytest.mark.parametrize("command", ["get", "list"])
def test_hostile_names_neither_move_a_terminal_nor_break_a_table(
    terminal: Terminal, artifacts: ArtifactService, output: str, command: str
) -> None:
    made = create(artifacts, "a", client_refs={"n": HOSTILE}, metadata={"title": HOSTILE})
    given = [str(made.artifact_id)] if command == "get" else []
    written = terminal.run("artifacts", command, *given, "-o", output).stdout
    assert all(mark == "\n" or mark.isprintable() for mark in written)
    assert "[red]x[/red]" in written
    match output:
        case "json":
            told = json.loads(written)
        case "yaml":
            told = yaml.safe_load(written)
        case _:
            assert len(written.splitlines()) == (
                2 if command == "list" else len(type(made).model_fields)
            )
            return
    told = told if command == "get" else told[0]
    assert told["client_refs"] == {"n": HOSTILE}


def test_an_id_is_never_cut_in_a_table(terminal: Terminal, artifacts: ArtifactService) -> None:
    made = create(artifacts, "a", client_refs={"n": "x" * 1000})
    listed = terminal.run("artifacts", "list").stdout.splitlines()
    assert str(made.artifact_id) in listed[1]
    assert "x" * 1000 in listed[1]
