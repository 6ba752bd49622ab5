"""A body that is not one JSON document is refused with problem details, and leaves no trace."""

import json
from collections.abc import Collection, Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.safety.documents import DEPTH, TWO_MIB, broken_documents
from tests.safety.operations import Operation, operations, taking_bodies
from tests.safety.sender import Answer, Headers, Sender
from tests.safety.storage import count_rows, dump_of_what_was_told

Targets = list[tuple[Operation, str]]
Sql = psycopg.Connection[DictRow]

AS_JSON = [(b"content-type", b"application/json")]
OTHER_TYPES = (
    b"text/plain",
    b"application/xml",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=x",
    b"application/jsonp",
    b"application/problem+json",
    b"json",
    b"",
    b"text/html; application/json",
    b"\xff\xfe",
)
OTHER_DOCUMENTS = (b"1", b'"text"', b"[]", b"true", b"[{}]", b"null")
FALSE_LENGTHS = (b"-1", b"0", b"1", b"99999999999999999999", b"x", b"1, 2")
NEVER_TOLD = ("Traceback", 'File "', "psycopg", "pydantic", "site-packages", "9" * 100)


@pytest.fixture
def targets(key_id: UUID) -> Targets:
    """Every operation that takes a body, and where it is asked."""
    return [(each, each.draft().about(key_id).target) for each in taking_bodies()]


@pytest.fixture
def unchanged(sender: Sender, key_id: UUID, sql: Sql) -> Iterator[None]:
    """Whatever the test sends, the database holds what it held."""
    before = dump_of_what_was_told(sql)
    yield
    assert dump_of_what_was_told(sql) == before


def needs_body(operation: Operation) -> bool:
    return operation.described["requestBody"].get("required", False)


def assert_refused(answer: Answer, statuses: Collection[int], case: object) -> None:
    assert answer.status in statuses, (case, answer.body)
    answer.problem()
    told = answer.body.decode()
    assert [word for word in NEVER_TOLD if word in told] == [], case


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("share", [3, pytest.param(1, marks=pytest.mark.long)])
def test_a_body_without_one_meaning_is_refused(
    sender: Sender, targets: Targets, share: int
) -> None:
    """Dealt out: each operation sees every so manieth, and the next one others."""
    for place, (operation, target) in enumerate(targets):
        broken = list(broken_documents(operation.draft().body))
        for name, body in broken[place % share :: share]:
            answer = sender.send(operation.method, target, AS_JSON, body)
            if answer.status == 200 and operation.path.endswith("/batch"):
                assert answer.json()["failed"] == 1, name  # the item alone, its batch is well
                continue
            assert_refused(answer, {422}, (target, name))


@pytest.mark.usefixtures("unchanged")
def test_a_document_of_another_kind_is_refused(sender: Sender, targets: Targets) -> None:
    for operation, target in targets:
        for body in OTHER_DOCUMENTS:
            if body != b"null" or needs_body(operation):
                assert_refused(sender.send(operation.method, target, AS_JSON, body), {422}, body)


@pytest.mark.usefixtures("unchanged")
def test_a_body_that_is_missing_is_refused_where_one_is_needed(
    sender: Sender, targets: Targets
) -> None:
    for operation, target in targets:
        if needs_body(operation):
            every: list[Headers] = [AS_JSON, []]
            for headers in every:
                assert_refused(sender.send(operation.method, target, headers), {422}, headers)


@pytest.mark.usefixtures("unchanged")
def test_a_body_that_is_not_said_to_be_json_is_refused(sender: Sender, targets: Targets) -> None:
    for operation, target in targets:
        good = json.dumps(operation.draft().body).encode()
        assert_refused(sender.send(operation.method, target, [], good), {415}, "none")
        for content_type in OTHER_TYPES:
            answer = sender.send(operation.method, target, [(b"content-type", content_type)], good)
            assert_refused(answer, {415}, content_type)


@pytest.mark.usefixtures("unchanged")
def test_octets_that_are_not_utf_8_are_refused_whatever_charset_is_named(
    sender: Sender, targets: Targets
) -> None:
    """JSON has no charset parameter (RFC 8259, section 8.1)."""
    for operation, target in targets:
        body = json.dumps(operation.draft().body).encode()[:-1] + b', "\xe9": 1}'
        for charset in (b"utf-8", b"utf-16", b"iso-8859-1", b"utf-7", b"nonsense"):
            headers = [(b"content-type", b"application/json; charset=" + charset)]
            assert_refused(
                sender.send(operation.method, target, headers, body), {415, 422}, charset
            )


@pytest.mark.usefixtures("unchanged")
def test_a_false_content_length_is_harmless(sender: Sender, targets: Targets) -> None:
    for operation, target in targets:
        for length in FALSE_LENGTHS:
            headers = [*AS_JSON, (b"content-length", length)]
            answer = sender.send(operation.method, target, headers, [b"{"])
            assert_refused(answer, {400, 413, 422}, length)


@pytest.mark.usefixtures("unchanged")
def test_a_body_of_two_mib_is_refused_by_every_operation(sender: Sender, key_id: UUID) -> None:
    """Also where none is taken, and where nobody announced its length."""
    whole = b" " * TWO_MIB
    parts = [b" " * (TWO_MIB // 64)] * 64
    for operation in operations():
        target = operation.draft().about(key_id).target
        for body in (whole, parts):
            answer = sender.send(operation.method, target, AS_JSON, body)
            assert_refused(answer, {413}, operation)


@pytest.mark.usefixtures("unchanged")
def test_a_body_that_no_operation_asked_for_is_not_even_read(sender: Sender, key_id: UUID) -> None:
    for operation in operations():
        if operation.body_schema is None and operation.method == "GET":
            target = operation.draft().about(key_id).target
            answer = sender.send("GET", target, AS_JSON, b"[" * DEPTH)
            assert answer.status == 200, (operation, answer.body)


def test_the_tests_here_would_notice_what_is_stored(sender: Sender, sql: Sql) -> None:
    before, rows = dump_of_what_was_told(sql), count_rows(sql)
    body = b'{"client_type": "x", "client_refs": {"a": 1}}'
    assert sender.send("POST", "/api/v1/artifacts", AS_JSON, body).status == 201
    assert dump_of_what_was_told(sql) != before
    assert count_rows(sql)["artifacts"] == rows["artifacts"] + 1
