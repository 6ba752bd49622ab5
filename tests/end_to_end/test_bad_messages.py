"""What can never succeed is set aside with its reason; the queue drains and the app goes on."""

import uuid
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from tests.end_to_end.ground import Ground
from tests.end_to_end.notices import cloud_event, encoded, event_grid, plain
from tests.end_to_end.running_app import RunningApp
from tests.end_to_end.waiting import wait_for

Message = Callable[[Ground, str], str]


def in_an_unknown_container(ground: Ground, path: str) -> str:
    return plain(event_grid(ground.account, "no-such-container", path))


def of_a_vanished_blob(ground: Ground, path: str) -> str:
    ground.put(path, b"soon gone")
    ground.others.delete_blob(path)
    return plain(cloud_event(ground.account, ground.others.container_name, path))


def of_another_account(ground: Ground, path: str) -> str:
    return plain(event_grid("somebodyelse", ground.others.container_name, path))


def of_another_kind(ground: Ground, path: str) -> str:
    event = event_grid(ground.account, ground.others.container_name, path)
    return plain(event | {"eventType": "Microsoft.Storage.LifecyclePolicyCompleted"})


def with_a_path_that_climbs(ground: Ground, path: str) -> str:
    return plain(event_grid(ground.account, ground.others.container_name, f"../{path}"))


def cut_off(ground: Ground, path: str) -> str:
    return plain(event_grid(ground.account, ground.others.container_name, path))[:-1]


def in_prose(_: Ground, path: str) -> str:
    return f"Please register {path}, thank you."


def of_no_known_form(_: Ground, path: str) -> str:
    return plain({"path": path})


def of_random_bytes(_: Ground, path: str) -> str:
    return b64encode(b"\x00\xff\xfe{" + path.encode()).decode()


def of_a_nul_character(ground: Ground, path: str) -> str:
    return encoded(event_grid(ground.account, ground.others.container_name, f"\0{path}"))


@pytest.mark.parametrize(
    ("message", "reason", "said"),
    [
        (in_an_unknown_container, "blob_not_found", "no container 'no-such-container'"),
        (of_a_vanished_blob, "blob_not_found", "no blob"),
        (of_another_account, "storage_account_not_allowed", "somebodyelse"),
        (of_another_kind, "malformed_message", "LifecyclePolicyCompleted"),
        (with_a_path_that_climbs, "malformed_message", "'..'"),
        (cut_off, "malformed_message", "not JSON"),
        (in_prose, "malformed_message", "not JSON"),
        (of_no_known_form, "malformed_message", "storage event"),
        (of_random_bytes, "malformed_message", "not JSON"),
        (of_a_nul_character, "malformed_message", "NUL"),
    ],
)
def test_a_notice_that_can_never_succeed_is_set_aside_with_its_reason(
    ground: Ground, message: Message, reason: str, said: str
) -> None:
    body = message(ground, f"bad/{uuid.uuid4().hex}.tif")
    ground.events.send_message(body)
    ground.wait_until_drained()
    (kept,) = ground.set_aside(body)
    assert bytes(kept["body"]) == body.encode()
    assert (kept["source"], kept["reason"]) == (ground.events.queue_name, reason)
    assert said in kept["explanation"]
    assert ground.poisoned(body) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"client_refs": {}}, "client_refs"),
        ({"client_refs": {"path": "a"}, "size_bytes": -1}, "size_bytes"),
        ({"client_refs": {"path": "a"}, "content_hash": "sha1:0"}, "content_hash"),
        ({"client_refs": {"path": "a"}, "colour": "blue"}, "colour"),
    ],
    ids=["no references", "negative size", "foreign hash", "unknown member"],
)
def test_a_registration_that_can_never_succeed_is_set_aside_with_its_reason(
    ground: Ground, content: dict[str, Any], said: str
) -> None:
    body = plain({"client_type": f"bad {uuid.uuid4().hex}", **content})
    ground.messages.send_message(body)
    ground.wait_until_drained()
    (kept,) = ground.set_aside(body)
    assert (kept["source"], kept["reason"]) == (ground.messages.queue_name, "malformed_message")
    assert said in kept["explanation"]
    assert ground.poisoned(body) == 0


def test_the_same_bad_message_again_is_kept_once(ground: Ground) -> None:
    body = in_prose(ground, uuid.uuid4().hex)
    for _ in range(3):
        ground.events.send_message(body)
    ground.wait_until_drained()
    assert len(ground.set_aside(body)) == 1


def test_good_messages_among_bad_ones_are_registered(app: RunningApp, ground: Ground) -> None:
    mark = uuid.uuid4().hex
    good = [f"mixed/{mark}/{number}.tif" for number in range(5)]
    for path in good:
        ground.put(path, b"pixels")
        ground.events.send_message(in_prose(ground, path))
        ground.events.send_message(
            plain(event_grid(ground.account, ground.others.container_name, path))
        )
    ground.wait_until_drained()
    assert [ground.revisions(ground.others)[path] for path in good] == [[1]] * 5
    assert len(ground.set_aside(mark)) == 5
    ground.uploads.upload_blob(f"after/{mark}.tif", b"pixels")
    wait_for("an upload", lambda: f"after/{mark}.tif" in ground.revisions(ground.uploads))
