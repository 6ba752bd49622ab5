"""`bldst build`, `variable`, `dashboard`: what is sent, and what comes of it."""

import json
from typing import Any

import pytest

from tests.integration.cli.conftest import Terminal, refused

UNKNOWN = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90"
VALUE = "correct horse battery staple"


def reach(server: Terminal, build_id: str, code: int, *more: str) -> Any:
    return server.read("build", "add-state", build_id, "--state", str(code), *more)


def test_a_build_is_made_found_and_listed(server: Terminal) -> None:
    made = server.read(
        *("build", "create", "rhel-9-7", "--project", "images", "--platform", "vsphere"),
        *("--os-version", "9.4", "--image-type", "base", "--label", "team=a", "--label", "x=1=2"),
    )
    assert (made["build_number"], made["project"], made["platform"]) == (
        *("rhel-9-7", "images"),
        "vsphere",
    )
    assert (made["os_version"], made["image_type"]) == ("9.4", "base")
    assert made["labels"] == {"team": "a", "x": "1=2"}
    other = server.read("build", "create", "rhel-9-8")
    assert server.read("build", "get", made["id"]) == made
    assert server.read("build", "list") == [other, made]
    for wanted in (("--number", "rhel-9-7"), ("--project", "images"), ("--os-version", "9.4")):
        assert server.read("build", "list", *wanted) == [made]
    assert server.read("build", "list", "--status", "failed") == []
    shown = server.run("build", "list", "--limit", "1")
    assert (made["id"] in shown.stdout, other["id"] in shown.stdout) == (False, True)
    assert shown.stderr == "there are more: raise --limit, or say --all\n"


def test_the_same_key_makes_nothing_twice(server: Terminal) -> None:
    command = ("build", "create", "rhel-9-9", "--idempotency-key", "once")
    assert server.read(*command) == server.read(*command)
    refused(server.run("build", "create", "rhel-9-9"), 5, "this number")


def test_a_state_by_its_name_is_begun_and_completed(server: Terminal, build_id: str) -> None:
    named = ("--name", "base", "--message", "under way")
    begun = reach(server, build_id, 10, *named, "--status", "in_progress")
    assert (begun["state_name"], begun["status"], begun["message"]) == (
        *("base", "in_progress"),
        "under way",
    )
    done = reach(server, build_id, 10)
    assert (done["id"], done["status"]) == (begun["id"], "completed")
    refused(server.run("build", "add-state", build_id), 2, "--state")
    refused(server.run("build", "add-state", build_id, "--state", "5"), 5)
    assert server.run("build", "add-state", build_id, "--state", "101").exit_code == 2


def test_states_are_listed_newest_first_up_to_a_limit(server: Terminal, build_id: str) -> None:
    for code in (10, 20, 30):
        reach(server, build_id, code)
    listed = server.read("build", "states", build_id)
    assert [attempt["state"] for attempt in listed] == [30, 20, 10]
    some = server.run("build", "states", build_id, "--limit", "2", "-o", "json")
    assert json.loads(some.stdout) == listed[:2]
    assert some.stderr.startswith("there are more")


def test_a_failed_build_goes_on_where_it_was(server: Terminal, build_id: str) -> None:
    made = ("--name", "base", "--type", "vm_snapshot", "--path", "s3://a", "--backend", "s3")
    artifact = server.read("artifact", "create", build_id, "--state", "10", *made)
    reach(server, build_id, 10)
    failed = server.read("build", "fail", build_id, "--state", "20", "--message", "no space")
    assert (failed["status"], failed["message"]) == ("failed", "no space")
    context = server.read("build", "resume-context", build_id)
    assert (context["resume_from"]["code"], context["can_resume"]) == (10, True)
    assert [usable["id"] for usable in context["resumable_artifacts"]] == [artifact["id"]]
    shown = server.run("build", "resume-context", build_id).stdout
    assert (artifact["id"] in shown, "s3://a" in shown) == (True, True)

    resume = server.read("build", "resume", build_id, "--reason", "more space")
    assert (resume["status"], resume["from_state"]) == ("pending", 10)
    assert resume["reason"] == "more space"
    refused(server.run("build", "resume", build_id), 5)
    moved = ("build", "resume-status", build_id, resume["id"])
    assert server.read(*moved) == resume
    assert server.read(*moved, "triggered")["status"] == "triggered"
    running = server.read(*moved, "running", "--message", "on server B")
    assert (running["status"], running["message"]) == ("running", "on server B")
    assert server.read("build", "resumes", build_id) == [running]


def test_variables_are_set_read_and_forgotten(server: Terminal, build_id: str) -> None:
    plain = server.read("variable", "set", build_id, "vm_id", "vm-1", "--required-for-resume")
    assert (plain["value"], plain["required_for_resume"]) == ("vm-1", True)
    read = server.read("variable", "set", build_id, "note", "-", stdin=" two words\n")
    assert read["value"] == " two words"
    declared = server.read("variable", "set", build_id, "later")
    assert (declared["value"], declared["is_set"]) == (None, False)
    listed = server.read("variable", "list", build_id)
    assert [variable["name"] for variable in listed] == ["later", "note", "vm_id"]
    refused(server.run("variable", "remove", build_id, "note"), 2, "--yes")
    assert server.read("variable", "remove", build_id, "note", "--yes") == {"removed": "note"}
    refused(server.run("variable", "remove", build_id, "note", "--yes"), 3)


def test_a_sensitive_value_is_read_and_never_told(server: Terminal, build_id: str) -> None:
    command = ("variable", "set", build_id, "token")
    refused(server.run(*command, VALUE, "--sensitive"), 2, "stdin")
    made = server.run(*command, "-", "--sensitive", stdin=VALUE)
    assert made.exit_code == 0, made.stderr
    listed = server.run("variable", "list", build_id)
    for told in (made.stdout, made.stderr, listed.stdout, listed.stderr):
        assert VALUE not in told
    assert server.read("variable", "list", build_id)[0]["is_set"] is True


@pytest.mark.parametrize("command", [("dashboard",), ("build", "dashboard")])
def test_the_dashboard(server: Terminal, build_id: str, command: tuple[str, ...]) -> None:
    reach(server, build_id, 10)
    told = server.read(*command)
    assert told["total"] == 1
    assert [build["id"] for build in told["recent"]] == [build_id]
    shown = server.run(*command)
    assert shown.exit_code == 0, shown.stderr
    assert (build_id in shown.stdout, "in_progress" in shown.stdout) == (True, True)
    assert server.read(*command, "--project", "none")["recent"] == []


def test_what_is_refused_is_one_line_and_an_exit_code(server: Terminal, build_id: str) -> None:
    refused(server.run("build", "get", UNKNOWN), 3)
    refused(server.run("build", "states", UNKNOWN), 3)
    refused(server.run("artifact", "get", build_id, UNKNOWN), 3)
    wrong = server.having(BLDST_API_KEY="ark_wrong")
    refused(wrong.run("build", "get", build_id), 4)
    assert server.run("build", "get", "no-id").exit_code == 2
    refused(server.run("build", "create", "a\nb"), 1, "/build_number")


def test_who_only_reads_changes_nothing(server: Terminal, reader_key: str, build_id: str) -> None:
    reader = server.having(BLDST_API_KEY=reader_key)
    assert reader.read("build", "get", build_id)["status"] == "pending"
    refused(reader.run("build", "add-state", build_id, "--state", "10"), 4)
    assert reader.read("build", "states", build_id) == []
