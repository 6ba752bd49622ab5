"""No text becomes SQL, wherever it stands: rows, tables and functions stay, and text comes back."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, product
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.safety.injections import DEEDS, INJECTIONS, LEFT_TO_DRIVERS, WAYS_OUT
from tests.safety.operations import Draft, Operation, operation_at, operations
from tests.safety.sender import Answer, Sender
from tests.safety.slots import Slot, header_slots, slots_of
from tests.safety.storage import count_rows, schema_checksum

Sql = psycopg.Connection[DictRow]

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
REGISTER = operation_at("POST", "/api/v1/artifacts")
ONE_LINE = {"client_type", "storage_account", "container", "blob_path"}
"""Fields that hold no control character, a line break among them, and what comes with those."""
SHARE = 11
"""Of so many operations, each payload is sent to one; no divisor of how many ways and deeds."""
SOME = tuple(dict.fromkeys((*INJECTIONS[::3], *LEFT_TO_DRIVERS)))
"""Of three payloads one, as many ways and deeds: what takes any text is sent these."""
ALL_OR_SOME = pytest.mark.parametrize(
    "payloads",
    [pytest.param(SOME, id="some"), pytest.param(INJECTIONS, id="all", marks=pytest.mark.long)],
)
LISTS = ("job:job-123", "history", "chain", "list", "artifacts", "keys", "duplicates", "groups")


def refused_or_found(answer: Answer) -> bool:
    if answer.status >= 400:
        answer.problem()
    return answer.status < 500


def filled(draft: Draft, slots: Iterable[Slot], text: str) -> Draft:
    for slot in slots:
        draft = slot.fill(draft, text)
    return draft


def dealt(operation: Operation, share: int) -> Sequence[str]:
    """Every so manieth payload, others for the next operation: all ways out and all deeds of each.

    Together the operations see all of them many times over; what drivers fill in, each sees.
    """
    first = operations().index(operation) % share
    return (*INJECTIONS[first::share], *LEFT_TO_DRIVERS)


def drafts(operation: Operation, key_id: UUID, texts: Sequence[str]) -> Iterator[Draft]:
    """The payloads in all places at once that take any text, and in each place alone.

    Alone they are dealt out, so that each place sees some of every kind: one that takes an instant,
    an id or one of a few words refuses before anything is asked of the database.
    """
    draft = operation.draft().about(key_id)
    slots = slots_of(operation)
    for place, text in enumerate(texts):
        free = [slot for slot in slots if slot.accepts(text)]
        if free:
            yield filled(draft, free, text)
            yield free[place % len(free)].fill(draft, text)
        narrow = [slot for slot in slots if slot not in free]
        if narrow:
            yield narrow[place % len(narrow)].fill(draft, text)


def test_there_are_two_hundred_different_payloads() -> None:
    assert len(set(INJECTIONS)) == 200


def test_each_share_has_all_ways_out_and_all_deeds() -> None:
    shares = [dealt(operation, SHARE) for operation in operations()[:SHARE]]
    assert set(chain.from_iterable(shares)) == set(INJECTIONS)
    for texts in (*shares, SOME):
        seen = [pair for pair in product(WAYS_OUT, DEEDS) if "".join(pair) in " ".join(texts)]
        assert [set(each) for each in zip(*seen, strict=True)] == [set(WAYS_OUT), set(DEEDS)]


@pytest.mark.parametrize("share", [SHARE, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("operation", operations(), ids=str)
def test_no_text_in_a_request_becomes_sql(
    sender: Sender, key_id: UUID, sql: Sql, operation: Operation, share: int
) -> None:
    rows, schema = count_rows(sql), schema_checksum(sql)
    texts = dealt(operation, share)
    answers = [draft.send(sender) for draft in drafts(operation, key_id, texts)]
    assert [answer.body for answer in answers if not refused_or_found(answer)] == []
    assert schema_checksum(sql) == schema
    if operation.method not in CHANGING:
        assert count_rows(sql) == rows
    else:
        assert_only_added(rows, count_rows(sql))


def assert_only_added(before: dict[str, int], after: dict[str, int]) -> None:
    """Nothing that a request may do takes a row away."""
    assert before.keys() == after.keys()
    assert {table for table in before if after[table] < before[table]} == set()


@ALL_OR_SOME
def test_no_header_becomes_sql(
    sender: Sender, stranger: Sender, sql: Sql, payloads: Sequence[str]
) -> None:
    rows, schema = count_rows(sql), schema_checksum(sql)
    texts = [text for text in payloads if text.isascii()]
    looking = operation_at("GET", "/api/v1/artifacts/{artifact_id}").draft()
    changing = operation_at("PATCH", "/api/v1/artifacts/{artifact_id}").draft()
    for slot in header_slots():
        is_credential = slot.path[0] in {"X-API-Key", "Authorization"}
        for place, text in enumerate(texts):
            draft = slot.fill(looking if place % 2 else changing, text)
            answer = draft.send(stranger if is_credential else sender)
            assert refused_or_found(answer), (draft, answer.body)
            assert (answer.status == 401) == is_credential, draft
    assert schema_checksum(sql) == schema
    assert_only_added(rows, count_rows(sql))


@ALL_OR_SOME
def test_an_idempotency_key_is_text_like_any_other(
    sender: Sender, sql: Sql, payloads: Sequence[str]
) -> None:
    schema = schema_checksum(sql)
    for text in (text for text in payloads if text.isascii() and text.isprintable()):
        body = {"client_type": "idempotent", "client_refs": {"key": text}}
        draft = Draft("POST", REGISTER.path, body=body, headers={"Idempotency-Key": text})
        first, second = draft.send(sender), draft.send(sender)
        assert (first.status, second.status) == (201, 201), first.body
        assert second.json() == first.json()
    assert schema_checksum(sql) == schema


@ALL_OR_SOME
def test_no_cursor_becomes_sql(sender: Sender, sql: Sql, payloads: Sequence[str]) -> None:
    rows, schema = count_rows(sql), schema_checksum(sql)
    taking = [
        each for each in operations() if "cursor" in {given["name"] for given in each.parameters}
    ]
    for place, (text, made_for) in enumerate(product(payloads, LISTS)):
        cursor = urlsafe_b64encode(f"{made_for}:{text}".encode()).decode().rstrip("=")
        draft = taking[place % len(taking)].draft()
        answer = replace(draft, query={**draft.query, "cursor": cursor}).send(sender)
        assert answer.status == 422, (draft, made_for, text, answer.body)
        answer.problem()
    assert (count_rows(sql), schema_checksum(sql)) == (rows, schema)


def registrations(payloads: Sequence[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Each payload in every field that holds it, references and metadata by name and by value."""
    slots = slots_of(REGISTER)
    for text in payloads:
        fitting = [
            slot
            for slot in slots
            if slot.place == "body"
            and slot.accepts(text)
            and (text.isprintable() or slot.path[0] not in ONE_LINE)
        ]
        draft = Draft("POST", REGISTER.path, body={"client_type": "x", "client_refs": {}})
        yield text, filled(draft, fitting, text).body


@ALL_OR_SOME
def test_stored_text_comes_back_byte_for_byte(
    sender: Sender, sql: Sql, payloads: Sequence[str]
) -> None:
    before = count_rows(sql)["artifacts"]
    stored = [_register(sender, body) for _, body in registrations(payloads)]
    for (text, body), artifact_id in zip(registrations(payloads), stored, strict=True):
        told = sender.send("GET", f"/api/v1/artifacts/{artifact_id}").json()
        assert {name: told[name] for name in body} == body, text
    assert count_rows(sql)["artifacts"] == before + len(payloads)


def _register(sender: Sender, body: dict[str, object]) -> str:
    answer = Draft("POST", REGISTER.path, body=body).send(sender)
    assert answer.status == 201, answer.body
    return answer.json()["artifact_id"]


@ALL_OR_SOME
def test_stored_text_is_found_by_itself_alone(sender: Sender, payloads: Sequence[str]) -> None:
    for _, body in registrations(payloads):
        _register(sender, body)
    for text in payloads:
        found = _listed(sender, {"source_job_id": text})
        assert [each["source_job_id"] for each in found] == [text]
        by_refs = _listed(sender, {"client_refs": json.dumps({text: 1})})
        assert [text in each["client_refs"] for each in by_refs] == [True]
        in_metadata = _listed(sender, {"metadata": json.dumps({"text": text})})
        assert [each["metadata"]["text"] for each in in_metadata] == [text]


def _listed(sender: Sender, query: dict[str, str]) -> Sequence[dict[str, Any]]:
    answer = Draft("GET", "/api/v1/artifacts", query=query).send(sender)
    assert answer.status == 200, answer.body
    return answer.json()["artifacts"]
