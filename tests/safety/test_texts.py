"""What is no text, in paths, queries and headers: refused with problem details, never a 5xx."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.safety.documents import DEPTH, DIGITS
from tests.safety.operations import Draft, operations
from tests.safety.sender import Answer, Sender
from tests.safety.slots import Slot, slots_of
from tests.safety.storage import dump_of_what_was_told

Sql = psycopg.Connection[DictRow]

_MARK = "odd-text-stands-here"
NOT_STORABLE = ("%00", "a%00b")
"""Refused wherever they stand."""
ODD = (
    "%ED%A0%80",
    "%ED%BF%BF%ED%A0%80",
    "%C0%AF",
    "%C0%80",
    "%FF",
    "%F4%90%80%80",
    "%",
    "%zz",
    "%u0041",
    "+",
    "%0D%0AX-Injected:%201",
    "%EF%BB%BF",
    "NaN",
    "Infinity",
    "1e400",
    "-1",
    "9" * DIGITS,
    "A" * 50_000,
    "true",
    "null",
)
JSON = (
    "%7B%22a%22:%20NaN%7D",
    "%7B%22a%22:%20-Infinity%7D",
    "%7B%22a%22:%201e400%7D",
    "%7B%22a%22:%20" + "9" * DIGITS + "%7D",
    "%7B%22a%22:1,%22a%22:2%7D",
    "%7B%22a%22:%22%5Cu0000%22%7D",
    "%7B%22a%22:%22%5Cud800%22%7D",
    "%7B%22a%22:%22%00%22%7D",
    "%7B%22a%22:" + "[" * DEPTH + "]" * DEPTH + "%7D",
    "%7B%22a%22:" * DEPTH + "1" + "%7D" * DEPTH,
    "%EF%BB%BF%7B%22a%22:1%7D",
    "[]",
    "1",
    "null",
    "%7B%22a%22:1",
    "",
)
HEADERS = (b"\x00", b"a\x00b", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"", b'"' * 9000)


@pytest.fixture
def unchanged(sender: Sender, key_id: UUID, sql: Sql) -> Iterator[None]:
    before = dump_of_what_was_told(sql)
    yield
    assert dump_of_what_was_told(sql) == before


def parameters(key_id: UUID) -> Iterator[tuple[Draft, Slot]]:
    """Every parameter in a path or a query of every operation, with a request to put it into."""
    for operation in operations():
        draft = operation.draft().about(key_id)
        for slot in slots_of(operation):
            if slot.place in {"path", "query"}:
                yield draft, slot


def ask(sender: Sender, draft: Draft, slot: Slot, encoded: str) -> Answer:
    """Without a body, which no parameter may need to be refused."""
    target = slot.write(replace(draft, body=None), _MARK).target.replace(_MARK, encoded)
    return sender.send(draft.method, target)


@pytest.mark.usefixtures("unchanged")
def test_a_nul_is_refused_in_every_parameter(sender: Sender, key_id: UUID) -> None:
    for draft, slot in parameters(key_id):
        for encoded in NOT_STORABLE:
            answer = ask(sender, draft, slot, encoded)
            if slot.path == ("code",):
                continue  # the host's own key: nobody looks at it
            assert 400 <= answer.status < 500, (draft, slot, encoded, answer.body)
            answer.problem()


@pytest.mark.parametrize("share", [7, pytest.param(1, marks=pytest.mark.long)])
def test_what_is_no_text_or_no_number_is_harmless_in_every_parameter(
    sender: Sender, key_id: UUID, share: int
) -> None:
    """Dealt out: each parameter sees every so manieth, and the next one others."""
    for place, (draft, slot) in enumerate(parameters(key_id)):
        for encoded in ODD[place % share :: share]:
            answer = ask(sender, draft, slot, encoded)
            assert answer.status < 500, (draft, slot, encoded[:50], answer.body)
            assert "x-injected" not in {name for name, _ in answer.headers}
            if answer.status >= 400:
                answer.problem()


@pytest.mark.usefixtures("unchanged")
def test_json_in_a_query_is_as_strict_as_in_a_body(sender: Sender, key_id: UUID) -> None:
    reading = [
        (draft, slot)
        for draft, slot in parameters(key_id)
        if slot.schema.get("contentMediaType") == "application/json"
    ]
    assert len(reading) >= 4
    for draft, slot in reading:
        for encoded in JSON:
            answer = ask(sender, draft, slot, encoded)
            assert answer.status == 422, (draft, slot, encoded[:50], answer.body)
            assert answer.problem()["errors"][0]["pointer"].startswith(f"/{slot.path[0]}")


@pytest.mark.parametrize("share", [9, pytest.param(1, marks=pytest.mark.long)])
def test_octets_that_are_no_text_are_harmless_in_every_header(
    sender: Sender, stranger: Sender, key_id: UUID, share: int
) -> None:
    """Dealt out likewise, by operations."""
    names = (b"if-match", b"if-none-match", b"idempotency-key", b"accept", b"x-request-id")
    credentials = (b"x-api-key", b"authorization")
    for place, operation in enumerate(operations()):
        draft = operation.draft().about(key_id)
        for name, octets in list(product(names, HEADERS))[place % share :: share]:
            answer = sender.send(draft.method, draft.target, [(name, octets)])
            assert answer.status < 500, (draft, name, octets[:50], answer.body)
        for name, octets in list(product(credentials, HEADERS))[place % share :: share]:
            answer = stranger.send(draft.method, draft.target, [(name, octets)])
            assert answer.status in {200, 401}, (draft, name, octets[:50], answer.body)
