"""What no statement may make of a message that was set aside."""

from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation
from psycopg.rows import DictRow
from psycopg.sql import SQL

from shared.errors import MalformedMessage
from shared.models.set_aside import Message
from shared.services.set_aside import SetAsideService


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("state = 'done'", "set_aside_state_known"),
        ("state = 'replayed'", "set_aside_ended_when"),
        ("ended_at = now(), ended_by = 'test'", "set_aside_ended_when"),
        ("state = 'discarded', ended_at = now()", "set_aside_ended_when"),
        ("state = 'discarded', ended_by = 'test'", "set_aside_ended_when"),
        ("state = 'discarded', ended_at = now(), ended_by = ''", "set_aside_ended_by_length"),
        (
            "state = 'discarded', ended_at = now(), ended_by = repeat('x', 256)",
            "set_aside_ended_by_length",
        ),
        ("arrivals = 0", "set_aside_counts"),
        ("replays = -1", "set_aside_counts"),
    ],
)
def test_a_row_that_cannot_be_is_refused(
    set_aside: SetAsideService,
    sql: psycopg.Connection[DictRow],
    change: LiteralString,
    rule: str,
) -> None:
    set_aside.set_aside(Message("q", b"x"), MalformedMessage())
    with pytest.raises(CheckViolation) as refused:
        sql.execute(SQL("UPDATE registry.set_aside_messages SET {}").format(SQL(change)))
    assert refused.value.diag.constraint_name == rule


def test_rows_of_before_are_open(sql: psycopg.Connection[DictRow]) -> None:
    """The code that runs while the migration is deployed knows of none of its columns."""
    sql.execute(
        "INSERT INTO registry.set_aside_messages"
        " (set_aside_id, source, body, reason, explanation, set_aside_at)"
        " VALUES (gen_random_uuid(), 'q', 'x', 'malformed_message', 'No.', now())"
    )
    (row,) = sql.execute("SELECT * FROM registry.set_aside_messages").fetchall()
    assert (row["state"], row["arrivals"], row["replays"]) == ("open", 1, 0)
