"""Messages on the blob events queue, in every form that Azure delivers, through the app."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.ground import Ground
from tests.end_to_end.notices import cloud_event, encoded, event_grid, plain
from tests.end_to_end.running_app import RETRY_AFTER

Form = Callable[[str, str, str], dict[str, Any]]
FORMS = [event_grid, cloud_event]
SPELLINGS = [plain, encoded]


def notice_of(form: Form, ground: Ground, path: str) -> dict[str, Any]:
    return form(ground.account, ground.others.container_name, path)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("form", FORMS)
def test_a_notice_registers_the_blob_that_it_is_about(
    ground: Ground, form: Form, spelling: Callable[[object], str]
) -> None:
    path = f"notices/{form.__name__} {spelling.__name__}.tif"
    ground.put(path, b"pixels")
    ground.events.send_message(spelling(notice_of(form, ground, path)))
    ground.wait_until_drained()
    assert ground.revisions(ground.others)[path] == [1]
    assert ground.poisoned() == 0


def test_repeated_notices_of_every_form_at_once_are_one_revision(ground: Ground) -> None:
    path = "notices/repeated.tif"
    ground.put(path, b"pixels")
    messages = [spelling(notice_of(form, ground, path)) for form in FORMS for spelling in SPELLINGS]
    with ThreadPoolExecutor(8) as senders:
        list(senders.map(ground.events.send_message, messages * 6))
    ground.wait_until_drained()
    assert ground.revisions(ground.others)[path] == [1]
    assert ground.set_aside(path) == []
    assert ground.poisoned() == 0


def test_a_list_of_notices_in_one_message_registers_each_blob(ground: Ground) -> None:
    paths = [f"notices/listed {number}.tif" for number in range(3)]
    for path in paths:
        ground.put(path, b"pixels")
    ground.events.send_message(plain([notice_of(event_grid, ground, path) for path in paths]))
    ground.wait_until_drained()
    assert [ground.revisions(ground.others)[path] for path in paths] == [[1]] * 3


def test_a_late_notice_of_bytes_that_are_gone_changes_nothing(ground: Ground) -> None:
    path = "notices/late.tif"
    message = plain(notice_of(event_grid, ground, path))
    for content in (b"before", b"after"):
        ground.put(path, content)
        ground.events.send_message(message)
        ground.wait_until_drained()
    ground.events.send_message(message)
    ground.wait_until_drained()
    assert ground.revisions(ground.others)[path] == [1, 2]


def test_a_deleted_folder_is_followed_by_messages_that_the_app_sends_itself(
    ground: Ground,
) -> None:
    paths = [f"notices/folder/{number}.tif" for number in range(3)]
    for path in paths:
        ground.put(path, b"pixels")
    ground.events.send_message(plain([notice_of(event_grid, ground, path) for path in paths]))
    ground.wait_until_drained()
    ground.others.delete_blobs(*paths)
    folder = notice_of(event_grid, ground, "notices/folder")
    deleted = {"eventType": "Microsoft.Storage.DirectoryDeleted"}
    ground.events.send_message(plain(folder | deleted))
    ground.wait_until_drained()
    missing = ground.rows(
        "SELECT blob_path FROM registry.artifacts"
        " WHERE missing_since IS NOT NULL AND container = %s ORDER BY blob_path",
        ground.others.container_name,
    )
    assert [row["blob_path"] for row in missing] == paths


@pytest.mark.parametrize("form", FORMS)
def test_members_that_overlay_the_metadata_of_a_message_change_nothing(
    ground: Ground, form: Form
) -> None:
    """The host lays top-level members of a JSON body over what it says of the message itself."""
    paths = [f"notices/overlaid {form.__name__} {number}.tif" for number in range(2)]
    overlaying = {"id": "the same", "DequeueCount": 99, "PopReceipt": "none", "QueueTrigger": "{}"}
    for path in paths:
        ground.put(path, b"pixels")
        ground.events.send_message(plain(notice_of(form, ground, path) | overlaying))
    ground.wait_until_drained()
    assert [ground.revisions(ground.others)[path] for path in paths] == [[1], [1]]
    assert ground.poisoned() == 0


def test_members_that_no_metadata_could_have_change_nothing(
    run_app: RunApp, database_url: str, azurite: Azurite
) -> None:
    overlaying: list[dict[str, Any]] = [
        {"DequeueCount": "many"},
        {"insertionTime": "noon"},
        {"PopReceipt": {}},
    ]
    with run_app(database_url, azurite, {RETRY_AFTER: "00:00:00"}) as (_, ground):
        for number, members in enumerate(overlaying):
            ground.put(str(number), b"pixels")
            ground.events.send_message(plain(notice_of(event_grid, ground, str(number)) | members))
        ground.wait_until_drained()
        assert ground.revisions(ground.others) == {"0": [1], "1": [1], "2": [1]}
        assert ground.poisoned() == 0
