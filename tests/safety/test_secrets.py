"""What opens something is kept nowhere and told to no log, wherever a sender wrote it."""

import base64
import json
import logging
from collections.abc import Iterator
from itertools import chain
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.blobs import BlobReference
from shared.models.registrations import Origin
from shared.services.ingestion import IngestionService
from tests.integration.messages import event
from tests.safety.operations import Draft, Operation, operation_at, operations
from tests.safety.secrets import SECRET, TEXTS, is_in
from tests.safety.sender import Sender
from tests.safety.slots import Slot, header_slots, slots_of
from tests.safety.storage import count_rows, dump

Sql = psycopg.Connection[DictRow]

ORIGIN = Origin("test")
REGISTRATION = operation_at("POST", "/api/v1/artifacts")


@pytest.fixture
def kept_and_logged(sql: Sql, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Looks at both when the test is over, with every logger at its most talkative."""
    with caplog.at_level(logging.DEBUG):
        yield
    assert not is_in(dump(sql))
    assert not is_in(caplog.text.encode())


def drafts(operation: Operation, key_id: UUID, share: int) -> Iterator[Draft]:
    """Each text in all places that take it at once, in every other place, and in some header.

    Texts are dealt out: an operation sees every so manieth, and the next one others. So are
    headers: each holds one of the texts here, and another one at the next operation.
    """
    good = operation.draft().about(key_id)
    slots = slots_of(operation)
    code = Slot("query", ("code",), {"type": "string"})
    first = operations().index(operation)
    for place, text in list(enumerate(TEXTS))[first % share :: share]:
        filled = good
        for slot in slots:
            filled = slot.fill(filled, text) if slot.accepts(text) else filled
        yield filled
        yield from (slot.fill(good, text) for slot in (code, *slots) if not slot.accepts(text))
        headers = header_slots()[(first // share + place) % len(TEXTS) :: len(TEXTS)]
        yield from (slot.fill(good, text) for slot in headers)


@pytest.mark.usefixtures("kept_and_logged")
@pytest.mark.parametrize("share", [6, pytest.param(1, marks=pytest.mark.long)])
def test_nothing_that_a_request_holds_opens_anything_later(
    sender: Sender, key_id: UUID, share: int
) -> None:
    for draft in chain.from_iterable(drafts(each, key_id, share) for each in operations()):
        answer = draft.send(sender)
        assert answer.status < 500, (draft, answer.body)
        if answer.status >= 400:
            answer.problem()


def test_the_requests_here_are_stored(sender: Sender, key_id: UUID, sql: Sql) -> None:
    """Otherwise nothing could be found of them either."""
    before = count_rows(sql)["artifacts"]
    for draft in drafts(REGISTRATION, key_id, share=1):
        draft.send(sender)
    assert count_rows(sql)["artifacts"] >= before + 5


def test_a_secret_would_be_found() -> None:
    for shift in range(3):
        assert is_in(base64.b64encode(b"x" * shift + f"sig={SECRET};".encode()))
    assert is_in(SECRET.encode().hex().encode())


@pytest.mark.usefixtures("kept_and_logged")
@pytest.mark.parametrize("encode", [bytes, base64.b64encode], ids=["text", "base64"])
def test_nothing_that_a_message_holds_opens_anything_later(
    ingestion: IngestionService, sql: Sql, encode: type[bytes]
) -> None:
    for text in TEXTS:
        for body in messages(text):
            ingestion.take_registration("registrations", encode(body), ORIGIN)
            ingestion.take_blob_events("blob-events", encode(body), ORIGIN)
    assert count_rows(sql)["set_aside_messages"] > len(TEXTS)
    assert count_rows(sql)["artifacts"] > len(TEXTS) // 2


def messages(text: str) -> Iterator[bytes]:
    """Registrations that are good and such that are not, events, and what is no message at all."""
    asset = {"client_type": "x", "client_refs": {"href": text, text: 1}}
    yield json.dumps(
        {**asset, "metadata": {text: [text]}, "data": text, "overwrite": True}
    ).encode()
    yield json.dumps({**asset, "uri": text, "no_such_field": text}).encode()
    yield json.dumps({"client_type": text}).encode()
    yield json.dumps(text).encode()
    yield text.encode()
    yield event(BlobReference("account", "container", "b"), eventType=text)
    yield event(BlobReference("account", "container", "b"), data={"api": "PutBlob", "url": text})
    yield event(BlobReference("account", "container", "b"), topic=text, subject=text)
