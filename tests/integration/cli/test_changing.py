"""`registry artifacts register|batch|decide|metadata|delete|archive|purge`."""

import json
from typing import Any

from shared.models.registrations import Origin
from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.registering import REFS, create, hash_of

BODY: dict[str, Any] = {"client_type": "ddh", "client_refs": REFS}


def test_what_destroys_needs_yes_where_nobody_can_be_asked(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a")
    for deed in ("delete", "archive", "purge"):
        refused(terminal.run("artifacts", deed, str(made.artifact_id), stdin="y\n"), 2, "--yes")
    assert artifacts.get_by_id(made.artifact_id) == made


def test_a_delete_tells_what_was(terminal: Terminal, artifacts: ArtifactService) -> None:
    made = create(artifacts, "a")
    told = terminal.read("artifacts", "delete", str(made.artifact_id), "--yes")
    assert told["previous_status"] == "active"
    assert artifacts.get_by_id(made.artifact_id).status == "deleted"


def test_another_state_than_the_expected_one_is_exit_code_5(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a")
    for deed in ("delete", "archive", "purge"):
        arguments = ["artifacts", deed, str(made.artifact_id), "--yes", "--if-match", '"other"']
        refused(terminal.run(*arguments), 5)
    assert artifacts.get_by_id(made.artifact_id) == made
    refused(terminal.run("artifacts", "purge", str(made.artifact_id), "--yes"), 5)


def test_metadata_are_texts_or_json_and_the_rest_stays(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a", metadata={"kept": 1})
    command = ["artifacts", "metadata", str(made.artifact_id)]
    changed = terminal.read(*command, "--set", "title=a=b", "--set", '{"n": 2, "gone": null}')
    assert changed["metadata"] == {"kept": 1, "title": "a=b", "n": 2, "gone": None}
    refused(terminal.run(*command, "--set", "n=1", "--set", '{"n": 2}'), 2, "n twice")
    refused(terminal.run(*command, "--set", '{"n": 1, "n": 2}'), 2, "twice")
    refused(terminal.run(*command, "--set", '{"n": NaN}'), 2, "NaN")
    refused(terminal.run(*command, "--set", "n"), 2, "NAME=TEXT")


def test_one_registration_says_whether_it_is_new(terminal: Terminal) -> None:
    body = json.dumps({**BODY, "content_hash": hash_of("a")})
    first = terminal.run("artifacts", "register", "-", "-o", "json", stdin=body)
    again = terminal.run("artifacts", "register", "-", "-o", "json", stdin=body)
    assert (first.stderr, again.stderr) == ("created\n", "unchanged\n")
    assert json.loads(first.stdout) == json.loads(again.stdout)
    other = json.dumps({**BODY, "content_hash": hash_of("b")})
    refused(terminal.run("artifacts", "register", "-", stdin=other), 5, "A current artifact exists")
    refused(terminal.run("artifacts", "register", "-", stdin="{"), 2, "no JSON")
    refused(terminal.run("artifacts", "register", "/nowhere/at/all"), 2, "No such file")


def test_an_idempotency_key_registers_once(terminal: Terminal) -> None:
    body = json.dumps({**BODY, "overwrite": True, "register_unchanged": True})
    command = ["artifacts", "register", "-", "--idempotency-key", "k"]
    first, again = [terminal.read(*command, stdin=body) for _ in range(2)]
    assert first["artifact_id"] == again["artifact_id"]


def test_a_batch_tells_what_came_of_each_line(terminal: Terminal) -> None:
    lines = [json.dumps({**BODY, "client_refs": {"n": 1}}), "", "{oops", json.dumps({"n": 1})]
    result = terminal.run("artifacts", "batch", "-", "-o", "json", stdin="\n".join(lines))
    assert result.exit_code == 1
    told = sorted(json.loads(result.stdout), key=lambda one: one["position"])
    assert [(one["position"], one["status"]) for one in told] == [
        (1, "created"),
        (2, "failed"),
        (3, "failed"),
    ]
    assert result.stderr == "created 1, unchanged 0, failed 2\n"
    table = terminal.run("artifacts", "batch", "-", stdin="\n".join(lines[3:])).stdout
    assert "/artifacts/0/client_type: " in table


def test_a_batch_of_any_size_is_sent_in_requests_that_the_registry_takes(
    terminal: Terminal, tmp_path: Any
) -> None:
    wide = [{**BODY, "client_refs": {"n": n}, "data": "x" * 400_000} for n in range(5)]
    file = tmp_path / "wide.json"
    file.write_text(json.dumps(wide))
    assert terminal.run("artifacts", "batch", str(file)).exit_code == 0
    assert len(terminal.read("artifacts", "list", "--all")) == 5
    too_large = json.dumps({**BODY, "data": "x" * 1_048_576})
    result = terminal.run("artifacts", "batch", "-", "-o", "json", stdin=too_large)
    assert "1 MiB" in json.loads(result.stdout)[0]["problem"]["detail"]


def test_an_atomic_batch_is_one_request_or_none(terminal: Terminal, tmp_path: Any) -> None:
    good, bad = json.dumps({**BODY, "client_refs": {"n": 1}}), json.dumps({"client_type": "ddh"})
    command = ["artifacts", "batch", "-", "--atomic"]
    refused(terminal.run(*command, stdin=f"{good}\n{{"), 2, "item 2")
    many = "\n".join(json.dumps({**BODY, "client_refs": {"n": n}}) for n in range(1001))
    refused(terminal.run(*command, stdin=many), 2, "one request")
    faulty = terminal.run(*command, stdin=f"{good}\n{bad}")
    assert (faulty.exit_code, "/artifacts/1/client_refs" in faulty.stderr) == (1, True)
    assert terminal.read("artifacts", "list") == []


def test_the_decision_says_what_there_is_to_do(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    create(artifacts, "a", metadata={"title": "x"})
    command = ["artifacts", "decide", "--client-type", "ddh", "--refs", json.dumps(REFS)]
    same = terminal.read(*command, "--hash", hash_of("a"), "--metadata", '{"title": "y"}')
    assert (same["decision"], same["changed"]) == ("metadata_only", ["title"])
    assert terminal.read(*command, "--hash", hash_of("b"))["decision"] == "full_reprocess"


def test_a_key_that_is_not_good_changes_nothing(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = artifacts.create_artifact(**BODY, origin=Origin("test"))
    stranger = terminal.having(REGISTRY_API_KEY="ark_" + "x" * 43)
    refused(stranger.run("artifacts", "delete", str(made.artifact_id), "--yes"), 4)
    assert artifacts.get_by_id(made.artifact_id) == made
