"""`bldst variable set`: what is read, and what stays as it was."""

import pytest

from tests.integration.cli.conftest import Terminal, refused

KEY = "-----BEGIN KEY-----\nline\r\n\n-----END KEY-----"


@pytest.mark.parametrize(
    ("stdin", "value"), [(f"{KEY}\n", KEY), (KEY, KEY), ("a\n\n", "a\n"), ("", ""), ("\n", "")]
)
def test_all_of_stdin_is_the_value(server: Terminal, build_id: str, stdin: str, value: str) -> None:
    told = server.read("variable", "set", build_id, "key", "-", stdin=stdin.encode())
    assert (told["value"], told["is_set"]) == (value, True)


@pytest.mark.parametrize("stdin", [b"\xff", b"x" * (1_048_576 + 1)])
def test_what_is_no_value_is_not_sent(server: Terminal, build_id: str, stdin: bytes) -> None:
    refused(server.run("variable", "set", build_id, "key", "-", stdin=stdin), 2, "stdin")
    assert server.read("variable", "list", build_id) == []


def test_what_is_not_said_stays(server: Terminal, build_id: str) -> None:
    command = ("variable", "set", build_id, "vm")
    server.read(*command, "vm-1", "--required-for-resume")
    assert server.read(*command, "vm-2")["required_for_resume"] is True
    told = server.read(*command, "--no-required-for-resume")
    assert (told["value"], told["is_set"], told["required_for_resume"]) == ("vm-2", True, False)
    assert server.read(*command, "")["value"] == ""


def test_what_is_sensitive_is_read_and_stays_so(server: Terminal, build_id: str) -> None:
    command = ("variable", "set", build_id, "token")
    refused(server.run(*command, "--sensitive", stdin="\n"), 2, "no value")
    made = server.read(*command, "--sensitive", stdin=KEY)
    assert (made["value"], made["is_set"], made["sensitive"]) == (None, True, True)
    kept = server.read(*command, "--required-for-resume")
    assert (kept["is_set"], kept["sensitive"], kept["required_for_resume"]) == (True, True, True)
    refused(server.run(*command, "shown"), 2, "command lines")
    assert server.read(*command, "-", stdin=KEY)["value"] is None


def test_what_is_only_declared_stays_so(server: Terminal, build_id: str) -> None:
    command = ("variable", "set", build_id, "token")
    assert server.read(*command, "--required-for-resume")["is_set"] is False
    assert server.read(*command)["required_for_resume"] is True
