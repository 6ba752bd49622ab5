"""`registry ingest failures list|show|replay|discard`."""

import json
from uuid import UUID

import pytest

from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.errors import BlobNotFound, MalformedMessage
from shared.models.ids import new_id
from shared.models.set_aside import FailureFilter, FailureState, Message, replay_request
from shared.services.artifact_service import ArtifactService
from shared.services.set_aside import SetAsideService
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.failing import OwnQueue
from tests.integration.http.conftest import build_registry

FAILURES = ("ingest", "failures")


@pytest.fixture
def registry(database: Database, artifacts: ArtifactService, own_queue: OwnQueue) -> Registry:
    return build_registry(database, artifacts, queues={own_queue.client.queue_name: own_queue})


@pytest.fixture
def kept(set_aside: SetAsideService, registry: Registry, own_queue: OwnQueue) -> list[str]:
    """Ids of three messages that were set aside, newest first; the last came from elsewhere."""
    source = own_queue.client.queue_name
    set_aside.set_aside(Message("of old", b"x"), MalformedMessage("No."))
    set_aside.set_aside(Message(source, b"not\x1b[31m JSON"), MalformedMessage("No."))
    set_aside.set_aside(Message(source, b"gone"), BlobNotFound("Gone."))
    return open_ids(registry)


def open_ids(registry: Registry, state: FailureState = FailureState.OPEN) -> list[str]:
    page = registry.failures.list_failures(FailureFilter(state))
    return [str(failure.set_aside_id) for failure in page.failures]


def asked_for(own_queue: OwnQueue) -> list[str]:
    return [message.body.decode() for message in own_queue.receive(32, 60)]


def requests(ids: list[str]) -> list[str]:
    return [replay_request(UUID(each)) for each in ids]


def test_failures_are_listed_and_narrowed(
    terminal: Terminal, kept: list[str], own_queue: OwnQueue
) -> None:
    assert [each["set_aside_id"] for each in terminal.read(*FAILURES, "list")] == kept
    for option, text, expected in [
        ("--reason", "blob_not_found", kept[:1]),
        ("--source", "of old", kept[2:]),
        ("--source", own_queue.client.queue_name, kept[:2]),
        ("--state", "replayed", []),
        ("--limit", "1", kept[:1]),
    ]:
        told = terminal.read(*FAILURES, "list", option, text)
        assert [each["set_aside_id"] for each in told] == expected
    table = terminal.run(*FAILURES, "list").stdout
    assert all(each in table for each in (*kept, "blob_not_found", "Gone."))


def test_a_body_cannot_move_a_terminals_cursor(terminal: Terminal, kept: list[str]) -> None:
    shown = terminal.run(*FAILURES, "show", kept[1])
    assert (shown.exit_code, "\x1b" in shown.stdout) == (0, False)
    assert "\\u001b[31m JSON" in shown.stdout
    assert terminal.read(*FAILURES, "show", kept[1])["body"] == "not\x1b[31m JSON"
    refused(terminal.run(*FAILURES, "show", str(new_id())), 3)


def test_some_are_replayed_by_their_ids(
    terminal: Terminal, kept: list[str], own_queue: OwnQueue, registry: Registry
) -> None:
    told = terminal.read(*FAILURES, "replay", *kept[:2])
    assert [(each["set_aside_id"], each["state"]) for each in told] == [
        (each, "replaying") for each in kept[:2]
    ]
    assert asked_for(own_queue) == requests(kept[:2])
    assert open_ids(registry) == kept[2:]
    refused(terminal.run(*FAILURES, "replay", kept[2]), 5, "Nothing takes the message")


def test_all_that_are_meant_are_replayed(
    terminal: Terminal, kept: list[str], own_queue: OwnQueue, registry: Registry
) -> None:
    told = terminal.read(*FAILURES, "replay", "--all", "--reason", "blob_not_found")
    assert told == {"count": 1, "skipped": 0}
    result = terminal.run(*FAILURES, "replay", "--all", "-o", "json")
    assert json.loads(result.stdout) == {"count": 1, "skipped": 1}
    assert "no longer takes" in result.stderr
    assert asked_for(own_queue) == requests(kept[:2])
    assert open_ids(registry) == kept[2:]
    again = terminal.read(*FAILURES, "replay", "--all", "--state", "replaying")
    assert again == {"count": 2, "skipped": 0}


def test_more_than_a_page_is_replayed_as_well(
    terminal: Terminal,
    own_queue: OwnQueue,
    set_aside: SetAsideService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []

    def send(_: OwnQueue, text: str) -> None:
        """What the emulator needs half a minute for."""
        sent.append(text)

    monkeypatch.setattr(OwnQueue, "send", send)
    for number in range(1003):
        set_aside.keep(
            Message(own_queue.client.queue_name, b"%d" % number), "poisoned", "It failed."
        )
    assert terminal.read(*FAILURES, "replay", "--all") == {"count": 1003, "skipped": 0}
    assert len(set(sent)) == len(sent) == 1003


def test_what_is_to_be_replayed_is_said_in_one_way(terminal: Terminal, kept: list[str]) -> None:
    refused(terminal.run(*FAILURES, "replay"), 2, "--all")
    refused(terminal.run(*FAILURES, "replay", kept[0], "--all"), 2, "--all")
    refused(terminal.run(*FAILURES, "replay", kept[0], "--reason", "x"), 2, "--reason")
    assert terminal.run(*FAILURES, "replay", "--all", "--state", "discarded").exit_code == 2
    assert terminal.run(*FAILURES, "replay", "no-id").exit_code == 2


def test_a_discard_needs_yes_where_nobody_can_be_asked(
    terminal: Terminal, kept: list[str], registry: Registry
) -> None:
    refused(terminal.run(*FAILURES, "discard", kept[0], stdin="y\n"), 2, "--yes")
    assert open_ids(registry) == kept
    told = terminal.read(*FAILURES, "discard", *kept[:2], "--yes")
    assert {each["state"] for each in told} == {"discarded"}
    assert open_ids(registry) == kept[2:]
    assert open_ids(registry, FailureState.DISCARDED) == kept[:2]
    refused(terminal.run(*FAILURES, "replay", kept[0]), 5, "discarded")
