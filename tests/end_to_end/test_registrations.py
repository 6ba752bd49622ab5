"""Messages on the registrations queue: what a pipeline writes, and what an operator finds."""

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.end_to_end.ground import Ground
from tests.end_to_end.notices import encoded, plain
from tests.end_to_end.running_app import RunningApp


def registration(**content: Any) -> dict[str, Any]:
    """Of an asset that no other test has, made by a job that no other test runs."""
    unique = uuid.uuid4().hex
    return {
        "client_type": "titiler",
        "client_refs": {"dataset": "flood", "resource": unique},
        "source_job_id": f"job/{unique}",
        "content_hash": hashlib.sha256(b"pixels").hexdigest(),
        "size_bytes": 6,
        **content,
    }


def of_job(app: RunningApp, message: dict[str, Any]) -> list[dict[str, Any]]:
    answer = app.get(f"/api/admin/artifacts/job/{message['source_job_id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()["artifacts"]


@pytest.mark.parametrize("spelling", [plain, encoded])
def test_a_message_is_found_by_its_stac_item_and_by_its_job(
    app: RunningApp, ground: Ground, spelling: Callable[[object], str]
) -> None:
    item = uuid.uuid4().hex
    message = registration(stac_collection_id="floods", stac_item_id=item)
    ground.messages.send_message(spelling(message))
    ground.wait_until_drained()
    (artifact,) = of_job(app, message)
    assert artifact["client_refs"] == message["client_refs"]
    assert artifact["content_hash"] == "1220" + message["content_hash"]
    by_item = app.get("/api/admin/artifacts/stac", collection_id="floods", item_id=item)
    assert by_item.json()["artifact"] == artifact


def test_a_hash_that_the_sender_left_out_is_computed_from_the_blob(
    app: RunningApp, ground: Ground
) -> None:
    ground.put("registered.tif", b"other pixels")
    message = registration(
        content_hash=None,
        size_bytes=None,
        storage_account=ground.account,
        container=ground.others.container_name,
        blob_path="registered.tif",
    )
    ground.messages.send_message(plain(message))
    ground.wait_until_drained()
    (artifact,) = of_job(app, message)
    assert artifact["content_hash"] == "1220" + hashlib.sha256(b"other pixels").hexdigest()
    assert artifact["size_bytes"] == len(b"other pixels")


def test_the_same_message_again_registers_nothing_new(app: RunningApp, ground: Ground) -> None:
    message = registration()
    for _ in range(3):
        ground.messages.send_message(plain(message))
    ground.wait_until_drained()
    assert [artifact["revision"] for artifact in of_job(app, message)] == [1]
    assert ground.poisoned() == 0


def test_a_conflict_is_set_aside_and_names_the_artifact_that_stands(
    app: RunningApp, ground: Ground
) -> None:
    first = registration()
    ground.messages.send_message(plain(first))
    ground.wait_until_drained()
    (stands,) = of_job(app, first)
    rival = first | {"content_hash": "0" * 64}
    ground.messages.send_message(plain(rival))
    ground.wait_until_drained()
    (kept,) = ground.set_aside(plain(rival))
    assert kept["reason"] == "artifact_conflict"
    assert stands["artifact_id"] in kept["explanation"]
    assert of_job(app, first) == [stands]
    assert ground.poisoned() == 0
