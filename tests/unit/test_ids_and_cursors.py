"""Ids in both written forms; cursors that belong to one list."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from shared.errors import InvalidInput
from shared.models.cursors import read_cursor, read_number, write_cursor
from shared.models.ids import new_id, parse_id, repeatable_id


def test_new_ids_are_version_7_and_sort_by_time() -> None:
    made = [new_id() for _ in range(1000)]
    assert {identifier.version for identifier in made} == {7}
    assert made == sorted(made)


def test_a_repeatable_id_is_a_uuid7_of_its_name_and_time() -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    made = repeatable_id("queue/1", then)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made == repeatable_id("queue/1", then)
    assert made != repeatable_id("queue/2", then)
    assert repeatable_id("queue/3", then + timedelta(seconds=1)) > made


@given(st.uuids())
def test_a_uuid_and_its_ulid_text_are_one_id(identifier: UUID) -> None:
    assert parse_id(str(identifier)) == parse_id(str(ULID.from_uuid(identifier))) == identifier


@pytest.mark.parametrize("text", ["", "x", "0" * 25, "I" * 26, "Z" * 26, "ü" * 26, "0" * 10_000])
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_id(text)


@given(st.integers(-(2**31) + 2, 2**31 - 2))
def test_a_cursor_reads_back(position: int) -> None:
    assert read_number("list", write_cursor("list", position)) == position


@pytest.mark.parametrize("cursor", ["", "%", "ü", "AAAA", "a" * 9999, write_cursor("other", 1)])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        read_cursor("list", cursor)


@pytest.mark.parametrize("position", ["", "x", "1" * 5000, 2**31 - 1, -(2**31) + 1, 2**63])
def test_a_cursor_that_counts_holds_a_number(position: object) -> None:
    with pytest.raises(InvalidInput):
        read_number("list", write_cursor("list", position))
