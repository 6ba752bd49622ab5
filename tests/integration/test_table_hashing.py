"""The hash of a table: what it depends on, and that anyone can find it out."""

import subprocess
import sys

import pytest

from shared.services.table_hashing import HashedTable, hash_table
from shared.storage.table_sources import copy_statement
from tests.end_to_end.waiting import wait_for
from tests.integration.source_tables import SourceDatabase, hashed_by_hand, recipe, table

ROADS = [
    """
    CREATE TABLE geo.roads (
        region text, id integer, PRIMARY KEY (region, id),
        "Name" varchar(80), code char(4), bytes bytea, exact numeric, approximate double precision,
        small real, is_open boolean, day date, clock time with time zone,
        at timestamptz, local timestamp, lasted interval, about jsonb, raw json, key uuid,
        network inet, tags text[], spans int4range, nothing text, length_of_name integer
            GENERATED ALWAYS AS (length("Name")) STORED
    )
    """,
    """
    INSERT INTO geo.roads VALUES
        ('Ärmel', 2, 'grün 日本 \N{ROCKET}', 'ab', '\\x00ff', 1.10, 0.1, 0.1, true, '2026-02-28',
         '12:00+02', '2026-03-29 01:30:00.123456+01', '2026-03-29 02:30', '1 month 2 days 3.5 s',
         '{"b": [1, null], "a": 1.0}', '{"b":1, "a" : 2}', gen_random_uuid(), '10.0.0.0/8',
         '{a,"b, c",NULL}', '[1,5)', NULL),
        ('Zebra', 1, '', '', '', 'NaN', 'Infinity', -0.0, false, 'infinity', '00:00+00',
         '-infinity', '4713-01-01 BC', '-1 y', 'null', '0', gen_random_uuid(), '::1', '{}', 'empty',
         NULL)
    """,
    "INSERT INTO geo.roads (region, id) VALUES ('Zebra', -1), ('a', 0), ('B', 0), ('', 7)",
]
SETTINGS = (
    "search_path = 'geo'",
    "TimeZone = 'Asia/Kolkata'",
    "DateStyle = 'German'",
    "IntervalStyle = 'sql_standard'",
    "extra_float_digits = -15",
    "bytea_output = 'escape'",
    "client_encoding = 'LATIN1'",
    "xmlbinary = 'hex'",
)


def hashed(source: SourceDatabase, name: str) -> HashedTable:
    return hash_table(source.sources(), table(name))


@pytest.fixture
def roads(source: SourceDatabase) -> SourceDatabase:
    source.run(*ROADS)
    return source


def test_anyone_finds_the_same_hash_with_the_commands_of_the_docs(roads: SourceDatabase) -> None:
    found = hash_table(roads.sources(), table("roads", "geo"))
    assert found.content_hash == "1220" + hashed_by_hand(roads.url, recipe())
    assert found.row_count == 6


def test_no_setting_of_the_role_changes_the_hash(roads: SourceDatabase) -> None:
    by_owner = hash_table(roads.sources(), table("roads", "geo"))
    with roads.reader(*SETTINGS) as url:
        assert hash_table(roads.sources(url), table("roads", "geo")) == by_owner
        assert "1220" + hashed_by_hand(url, recipe()) == by_owner.content_hash


def test_text_in_the_key_is_ordered_by_its_bytes_whatever_the_locale() -> None:
    key = [
        {"name": 'reg"ion', "is_collated": True},
        {"name": "id", "is_collated": False},
        {"name": "Name", "is_collated": True},
    ]
    assert copy_statement(table('ro"ads', "geo"), key).as_string() == (
        'COPY (SELECT * FROM "geo"."ro""ads" '
        'ORDER BY "reg""ion" COLLATE "C", "id", "Name" COLLATE "C") TO STDOUT (FORMAT binary)'
    )


def test_keys_of_text_are_told_from_others(source: SourceDatabase) -> None:
    source.run(
        "CREATE DOMAIN app.code AS text",
        """
        CREATE TABLE app.keys (
            a text, b integer, c app.code, d varchar(3), e uuid, f text[], g bytea, value json,
            PRIMARY KEY (b, a, c, d, e, f, g) INCLUDE (value)
        )
        """,
        """
        INSERT INTO app.keys SELECT a, b, a, a, gen_random_uuid(), ARRAY[a], '', '1'
        FROM unnest(ARRAY['ä', 'Z', 'a', 'É']) AS a, generate_series(1, 3) AS b
        """,
    )
    by_hand = """
        PGCLIENTENCODING=UTF8 psql "$TABLE_SOURCE" -X -q -c \
          'COPY (SELECT * FROM app.keys ORDER BY b, a COLLATE "C", c COLLATE "C", d COLLATE "C",
           e, f COLLATE "C", g) TO STDOUT (FORMAT binary)' | sha256sum
    """
    assert hashed(source, "keys").content_hash == "1220" + hashed_by_hand(source.url, by_hand)


def test_the_same_rows_have_one_hash_however_they_came_to_be_there(source: SourceDatabase) -> None:
    source.run(
        "CREATE TABLE app.one (id integer PRIMARY KEY, value text)",
        "CREATE TABLE app.other (LIKE app.one INCLUDING INDEXES)",
        "CREATE TABLE app.parts (LIKE app.one INCLUDING INDEXES) PARTITION BY RANGE (id)",
        "CREATE TABLE app.low PARTITION OF app.parts FOR VALUES FROM (0) TO (50)",
        "CREATE TABLE app.high PARTITION OF app.parts FOR VALUES FROM (50) TO (200)",
        "INSERT INTO app.one SELECT id, 'v' || id FROM generate_series(1, 100) AS id",
        "INSERT INTO app.other SELECT id, 'x' FROM generate_series(120, 1, -1) AS id",
        "DELETE FROM app.other WHERE id > 100",
        "UPDATE app.other SET value = 'v' || id",
        "INSERT INTO app.parts SELECT * FROM app.one ORDER BY id DESC",
    )
    expected = hashed(source, "one")
    assert expected.row_count == 100
    assert hashed(source, "other") == hashed(source, "parts") == expected


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE app.one SET value = NULL WHERE id = 7",
        "UPDATE app.one SET value = '' WHERE id = 7",
        "UPDATE app.one SET id = -id WHERE id = 7",
        "DELETE FROM app.one WHERE id = 7",
        "INSERT INTO app.one VALUES (11, NULL)",
        "ALTER TABLE app.one ADD COLUMN more text",
        "TRUNCATE app.one",
    ],
)
def test_any_other_content_has_another_hash(source: SourceDatabase, change: str) -> None:
    source.run(
        "CREATE TABLE app.one (id integer PRIMARY KEY, value text)",
        "INSERT INTO app.one SELECT id, 'v' FROM generate_series(1, 10) AS id",
    )
    before = hashed(source, "one")
    source.run(change)
    assert hashed(source, "one").content_hash != before.content_hash


def test_an_empty_table_has_a_hash_and_no_rows(source: SourceDatabase) -> None:
    source.run("CREATE TABLE app.empty (id integer PRIMARY KEY)")
    by_hand = """psql "$TABLE_SOURCE" -Xqc 'COPY app.empty TO STDOUT (FORMAT binary)' | sha256sum"""
    found = hashed(source, "empty")
    assert found == HashedTable(found.content_hash, row_count=0)
    assert found.content_hash == "1220" + hashed_by_hand(source.url, by_hand)


def test_what_is_read_is_one_snapshot_while_others_write(source: SourceDatabase) -> None:
    source.run(
        "CREATE TABLE app.busy (id integer PRIMARY KEY)",
        "INSERT INTO app.busy SELECT generate_series(1, 1000)",
    )
    before = hashed(source, "busy")
    pieces: list[object] = []

    def write_meanwhile(piece: object) -> None:
        if not pieces:
            source.run("INSERT INTO app.busy VALUES (0), (2000)", "DELETE FROM app.busy WHERE id=5")
        pieces.append(piece)

    assert source.sources().read(table("busy"), write_meanwhile) == before.row_count
    assert hashed(source, "busy").row_count == 1001


def test_no_connection_is_kept(source: SourceDatabase) -> None:
    source.run("CREATE TABLE app.one (id integer PRIMARY KEY)")
    hashed(source, "one")
    others = """
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    wait_for("the reader to leave", lambda: not source.owner.execute(others).fetchall())


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_memory_is_bounded_however_large_the_table(source: SourceDatabase) -> None:
    source.run(
        "CREATE TABLE app.large (id integer PRIMARY KEY, value text)",
        "INSERT INTO app.large SELECT id, repeat('v', 2000) FROM generate_series(1, 100000) AS id",
    )
    answer = subprocess.run(
        [sys.executable, "-m", "tests.integration.table_memory", source.url, "app", "large"],
        check=True,
        capture_output=True,
        text=True,
    )
    row_count, above_idle = map(int, answer.stdout.split())
    assert row_count == 100_000  # 200 MB
    assert above_idle < 32 * 1024 * 1024
