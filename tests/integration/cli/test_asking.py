"""What destroys, at a terminal: it shows what is at stake, and asks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from shared.models.artifacts import Artifact
from shared.services.artifact_service import ArtifactService
from tests.integration.cli.conftest import Terminal
from tests.integration.registering import create


class Typist:
    """A command at a terminal: stdin is one, what it asks comes back line by line."""

    def __init__(self, terminal: Terminal, *arguments: str) -> None:
        self._keyboard, line = os.openpty()
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name(terminal.name), *arguments],
            env=terminal.environment,
            stdin=line,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        os.close(line)

    def read_question(self) -> str:
        """Everything up to the question that waits for an answer."""
        assert self._process.stderr
        told = b""
        while not told.endswith(b"(n): "):
            mark = self._process.stderr.read(1)
            assert mark, told
            told += mark
        return told.decode()

    def answer(self, text: str) -> tuple[int, str]:
        os.write(self._keyboard, text.encode())
        written, told = self._process.communicate()
        os.close(self._keyboard)
        assert (written[:1] or b"a").isalpha()  # nothing of the question
        return self._process.returncode, told.decode()


def deleting(terminal: Terminal, artifact: Artifact) -> Typist:
    return Typist(terminal, "artifacts", "delete", str(artifact.artifact_id))


@pytest.mark.parametrize(("typed", "code", "status"), [("y\n", 0, "deleted"), ("\n", 1, "active")])
def test_only_a_yes_destroys(
    terminal: Terminal, artifacts: ArtifactService, typed: str, code: int, status: str
) -> None:
    made = create(artifacts, "a", client_refs={"n": "\x1b[2Jx"})
    typist = deleting(terminal, made)
    asked = typist.read_question()
    assert str(made.artifact_id) in asked
    assert "\\u001b[2Jx" in asked
    ended, told = typist.answer(typed)
    assert ended == code, told
    assert artifacts.get_by_id(made.artifact_id).status == status


def test_what_changed_since_it_was_shown_stays(
    terminal: Terminal, artifacts: ArtifactService
) -> None:
    made = create(artifacts, "a")
    typist = deleting(terminal, made)
    typist.read_question()
    create(artifacts, "b")
    ended, told = typist.answer("y\n")
    assert (ended, "not the one that was expected" in told) == (5, True)
    assert artifacts.get_by_id(made.artifact_id).status == "superseded"


def test_a_key_that_may_not_read_is_asked_all_the_same(
    terminal: Terminal, artifacts: ArtifactService, registry: Registry
) -> None:
    made = create(artifacts, "a")
    admin = registry.keys.create("admin", [Scope.ADMIN]).text
    command = ("artifacts", "delete", str(made.artifact_id))
    done = terminal.having(REGISTRY_API_KEY=admin).answer("y", *command)
    assert done.exit_code == 0
    assert "cannot be shown" in done.stderr
