"""Variables of builds: what is kept of them, what is told, and what nowhere is."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from shared.database.pool import Database
from shared.errors import BuildNotFound, InvalidInput, VariableNotFound
from shared.models.build_variables import VariableRequest
from shared.models.builds import BuildRequest
from shared.models.registrations import Origin
from shared.services.build_variables import (
    MAXIMUM_BYTES,
    MAXIMUM_VARIABLES,
    BuildVariableService,
)
from shared.services.builds import BuildService
from tests.end_to_end.waiting import wait_for
from tests.integration.clock import TickingClock
from tests.integration.locks import somebody_waits

ORIGIN = Origin("key:7", "request 7")
SECRET = "hunter2-in-the-clear"


@pytest.fixture
def variables(database: Database, clock: TickingClock) -> BuildVariableService:
    return BuildVariableService(database, clock)


@pytest.fixture
def build(database: Database, clock: TickingClock) -> UUID:
    return BuildService(database, clock).create(BuildRequest(build_number="b-1"), ORIGIN).id


def wanted(
    value: str | None = None, *, sensitive: bool = False, required: bool = False
) -> VariableRequest:
    return VariableRequest(value=value, sensitive=sensitive, required_for_resume=required)


def events(sql: psycopg.Connection[DictRow]) -> list[DictRow]:
    return sql.execute(
        "SELECT operation, actor, request_id, run_id, details FROM registry.outbox"
        " WHERE operation LIKE 'build_variable%' ORDER BY position"
    ).fetchall()


def everything_kept(sql: psycopg.Connection[DictRow]) -> str:
    """All tables of the schema, as text."""
    tables = sql.execute(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'registry' AND table_type = 'BASE TABLE'"
    ).fetchall()
    whole = [
        sql.execute(
            SQL("SELECT of::text AS row FROM registry.{} AS of").format(
                Identifier(table["table_name"])
            )
        ).fetchall()
        for table in tables
    ]
    return "\n".join(row["row"] for rows in whole for row in rows)


def test_variables_are_listed_by_name_as_they_were_set_last(
    variables: BuildVariableService, build: UUID
) -> None:
    variables.put(build, "REGION", wanted("west"), ORIGIN)
    made = variables.put(build, "BASE", wanted(required=True), ORIGIN)
    assert (made.is_set, made.value, made.required_for_resume) == (False, None, True)
    changed = variables.put(build, "REGION", wanted(""), ORIGIN)
    assert (changed.is_set, changed.value) == (True, "")
    assert changed.created_at < changed.updated_at
    assert variables.list_variables(build).variables == [made, changed]


def test_a_sensitive_value_is_nowhere_and_that_it_is_set_is_told(
    variables: BuildVariableService, build: UUID, sql: psycopg.Connection[DictRow]
) -> None:
    told = variables.put(build, "TOKEN", wanted(SECRET, sensitive=True), ORIGIN)
    assert (told.is_set, told.value, told.sensitive) == (True, None, True)
    assert variables.list_variables(build).variables == [told]
    kept = everything_kept(sql)
    assert "TOKEN" in kept
    assert SECRET not in kept


def test_what_was_sensitive_once_stays_so_until_it_is_removed(
    variables: BuildVariableService, build: UUID, sql: psycopg.Connection[DictRow]
) -> None:
    variables.put(build, "TOKEN", wanted(SECRET), ORIGIN)
    assert SECRET in everything_kept(sql)
    variables.put(build, "TOKEN", wanted(sensitive=True), ORIGIN)
    later = variables.put(build, "TOKEN", wanted(SECRET), ORIGIN)
    assert (later.is_set, later.value, later.sensitive) == (True, None, True)
    assert SECRET not in everything_kept(sql)
    variables.remove(build, "TOKEN", ORIGIN)
    anew = variables.put(build, "TOKEN", wanted("open"), ORIGIN)
    assert (anew.value, anew.sensitive) == ("open", False)


def test_every_change_is_in_the_audit_trail_without_any_value(
    variables: BuildVariableService, build: UUID, sql: psycopg.Connection[DictRow]
) -> None:
    variables.put(build, "REGION", wanted(SECRET), ORIGIN)
    variables.put(build, "REGION", wanted(required=True), ORIGIN)
    variables.remove(build, "REGION", ORIGIN)
    first = {"is_set": True, "sensitive": False, "required_for_resume": False}
    second = {"is_set": False, "sensitive": False, "required_for_resume": True}
    assert [(event["operation"], event["details"]) for event in events(sql)] == [
        ("build_variable_set", {"variable": "REGION", "after": first}),
        ("build_variable_set", {"variable": "REGION", "before": first, "after": second}),
        ("build_variable_removed", {"variable": "REGION", "before": second}),
    ]
    assert {(event["actor"], event["request_id"], event["run_id"]) for event in events(sql)} == {
        ("key:7", "request 7", build)
    }
    assert SECRET not in everything_kept(sql)


def test_what_is_not_there_is_not_found(variables: BuildVariableService, build: UUID) -> None:
    with pytest.raises(BuildNotFound):
        variables.put(uuid4(), "REGION", wanted("west"), ORIGIN)
    with pytest.raises(BuildNotFound):
        variables.list_variables(uuid4())
    with pytest.raises(BuildNotFound):
        variables.remove(uuid4(), "REGION", ORIGIN)
    with pytest.raises(VariableNotFound):
        variables.remove(build, "REGION", ORIGIN)
    assert variables.list_variables(build).variables == []


@pytest.mark.parametrize("name", ["", "1st", "a b", "a\nb", "a\x00", "ü", "x" * 256, "a\n"])
def test_a_name_that_cannot_be_is_refused(
    variables: BuildVariableService, build: UUID, name: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        variables.put(build, name, wanted(SECRET), ORIGIN)
    assert refused.value.pointer == "/name"
    assert SECRET not in refused.value.summary


def test_a_build_has_so_many_variables_and_no_more(
    variables: BuildVariableService, build: UUID, sql: psycopg.Connection[DictRow]
) -> None:
    sql.execute(
        "INSERT INTO registry.run_variables SELECT %s, 'V' || i, 'x', true, false,"
        " false, now(), now() FROM generate_series(2, %s) AS i",
        [build, MAXIMUM_VARIABLES],
    )
    variables.put(build, "LAST", wanted("y"), ORIGIN)
    with pytest.raises(InvalidInput) as refused:
        variables.put(build, "BEYOND", wanted("y"), ORIGIN)
    assert refused.value.pointer == "/name"
    variables.put(build, "LAST", wanted("z"), ORIGIN)
    assert len(variables.list_variables(build).variables) == MAXIMUM_VARIABLES


def test_all_values_of_a_build_have_so_many_bytes(
    variables: BuildVariableService, build: UUID
) -> None:
    half = "ü" * 30_000
    for n in range(MAXIMUM_BYTES // 60_000):
        variables.put(build, f"V{n}", wanted(half), ORIGIN)
    with pytest.raises(InvalidInput) as refused:
        variables.put(build, "BEYOND", wanted(half), ORIGIN)
    assert refused.value.pointer == "/value"
    assert variables.put(build, "V0", wanted(half), ORIGIN).value == half


def test_who_sets_while_another_makes_it_sensitive_leaves_no_value(
    variables: BuildVariableService, build: UUID, sql: psycopg.Connection[DictRow]
) -> None:
    with ThreadPoolExecutor(1) as thread:
        with sql.transaction():
            sql.execute("SELECT registry.lock_build(%s)", [build])
            setting = thread.submit(variables.put, build, "TOKEN", wanted(SECRET), ORIGIN)
            wait_for("one who sets it", lambda: somebody_waits(sql))
            sql.execute(
                "INSERT INTO registry.run_variables"
                " VALUES (%s, 'TOKEN', NULL, true, true, false, now(), now())",
                [build],
            )
        told = setting.result(timeout=30)
    assert (told.sensitive, told.value) == (True, None)
    assert SECRET not in everything_kept(sql)
