"""The app as it runs, in a process of its own: its log tells nothing that opens anything."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from tests.end_to_end.ground import Ground, ground_of
from tests.end_to_end.running_app import RunningApp
from tests.safety.operations import Draft, Operation, operations
from tests.safety.secrets import TEXTS, is_in
from tests.safety.slots import Slot, header_slots, slots_of
from tests.safety.storage import dump


@pytest.fixture
def running(
    database_url: str, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningApp, Ground]]:
    name = f"test-{uuid4().hex}"
    log = tmp_path_factory.mktemp("app") / "log"
    app = RunningApp(name, database_url, azurite.connection_string, log)
    with ground_of(name, azurite.connection_string, database_url) as ground:
        ground.make()
        try:
            app.start()
            yield app, ground
        finally:
            app.close()


def drafts(operation: Operation, text: str) -> Iterator[Draft]:
    """The text in every place that takes it, in the host's own key, and in every header."""
    filled = operation.draft()
    code = Slot("query", ("code",), {"type": "string"})
    for slot in (*slots_of(operation), code):
        filled = slot.fill(filled, text) if slot.accepts(text) else filled
    yield filled
    for slot in header_slots():
        filled = slot.fill(filled, text)
    yield filled


@pytest.mark.parametrize("share", [len(TEXTS), pytest.param(1, marks=pytest.mark.long)])
def test_a_running_app_keeps_and_logs_nothing_that_opens_anything(
    running: tuple[RunningApp, Ground], sql: psycopg.Connection[DictRow], share: int
) -> None:
    """Dealt out: each operation sees every so manieth text, and the next one others."""
    app, ground = running
    headers = {"X-API-Key": app.key("read,write,admin")}
    with httpx.Client(base_url=app.url, headers=headers, timeout=30) as client:
        statuses = {
            client.request(
                draft.method, draft.target, headers=dict(draft.headers), json=draft.body
            ).status_code
            for place, operation in enumerate(operations())
            for text in TEXTS[place % share :: share]
            for draft in drafts(operation, text)
        }
    assert {200, 201, 401, 422} <= statuses
    assert max(statuses) < 500
    for text in TEXTS:
        asset = {"client_type": "x", "client_refs": {"href": text}, "overwrite": True}
        ground.messages.send_message(json.dumps({**asset, "metadata": {text: text}}))
        ground.messages.send_message(json.dumps({**asset, "no_such_field": text}))
        ground.events.send_message(json.dumps({"eventType": text, "subject": text, "data": {}}))
    ground.wait_until_drained()
    assert app.stop() == 0
    assert "message set aside" in app.log
    assert not is_in(app.log.encode())
    assert not is_in(dump(sql))
