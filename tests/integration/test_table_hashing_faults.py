"""Tables that cannot be read, may not be read, or not now; and names that mean no good."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors, sql

from shared.errors import TableNotAllowed, TableNotFound, TableSourceUnavailable, TableUnreadable
from shared.models.tables import TableReference, TableSource
from shared.services.table_hashing import HashedTable, hash_table
from shared.storage.table_sources import TableSources
from tests.end_to_end.waiting import wait_for
from tests.integration.locks import somebody_waits
from tests.integration.source_tables import SourceDatabase, table
from tests.integration.unvisited import unvisited_host

HOSTILE_NAMES = [
    'quote"d',
    "x'; DROP TABLE app.victim; --",
    'x"; DROP TABLE app.victim; --',
    "%s %(name)s {0} {}",
    "back\\slash",
    "日本 \N{ROCKET}",
    "UPPER",
    "with.dot",
    "*",
    " ",
    "new\nline",
    "x" * 63,
]
KEYED = "CREATE TABLE app.it (id integer PRIMARY KEY"


def hashed(source: SourceDatabase, name: str) -> HashedTable:
    return hash_table(source.sources(), table(name))


@pytest.mark.parametrize(
    "wanted",
    [
        table("rivers", "geo"),
        table("roads", "GEO"),
        table("pg_authid", "pg_catalog"),
        table('roads"; --', "geo"),
        TableReference("elsewhere", "app", "roads"),
    ],
    ids=str,
)
def test_of_a_table_that_is_not_listed_nobody_is_asked(wanted: TableReference) -> None:
    with unvisited_host() as host:
        url = f"postgresql://x@{host}/x"
        listed = TableSource.model_validate({"url": url, "tables": ["app.*", "geo.roads"]})
        with pytest.raises(TableNotAllowed, match=r"not one that this registry may read"):
            hash_table(TableSources({"postgis": listed}), wanted)


def test_hostile_names_name_their_own_table_and_do_nothing_else(source: SourceDatabase) -> None:
    source.run("CREATE TABLE app.victim (id integer PRIMARY KEY)")
    for number, name in enumerate(HOSTILE_NAMES):
        named = {"table": sql.Identifier("app", name), "key": sql.Identifier(f"k'\"%s{number}")}
        create = sql.SQL("CREATE TABLE {table} ({key} integer PRIMARY KEY)")
        fill = sql.SQL("INSERT INTO {table} SELECT generate_series(1, {count})")
        source.owner.execute(create.format(**named))
        source.owner.execute(fill.format(**named, count=number))
    found = [hashed(source, name).row_count for name in HOSTILE_NAMES]
    assert found == list(range(len(HOSTILE_NAMES)))
    assert hashed(source, "victim").row_count == 0


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "x" * 64, "\N{ROCKET}" * 16, "x" * 1024])
def test_a_hostile_name_of_no_table_is_only_not_found(source: SourceDatabase, name: str) -> None:
    for cut in ("x" * 62, "\N{ROCKET}" * 15):
        source.run(f'CREATE TABLE app."{cut}" (id integer PRIMARY KEY)')
    with pytest.raises(TableNotFound, match="no table"):
        hashed(source, name)


def test_a_name_that_postgresql_would_cut_off_is_not_that_of_another_table(
    source: SourceDatabase,
) -> None:
    source.run(f'CREATE TABLE app."{"x" * 63}" (id integer PRIMARY KEY)')
    assert hashed(source, "x" * 63).row_count == 0
    with pytest.raises(TableNotFound):
        hashed(source, "x" * 64)


def test_a_schema_that_is_not_there_has_no_tables(source: SourceDatabase) -> None:
    source.run("DROP SCHEMA app")
    with pytest.raises(TableNotFound, match=r"no table 'app\.roads' of 'postgis'"):
        hashed(source, "roads")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE TABLE app.it (id integer)", "no primary key"),
        ("CREATE TABLE app.it (id integer UNIQUE NOT NULL)", "no primary key"),
        ("CREATE VIEW app.it AS SELECT 1 AS id", "it is a view"),
        ("CREATE MATERIALIZED VIEW app.it AS SELECT 1 AS id", "it is a view"),
        ("CREATE SEQUENCE app.it", "it is a view"),
        (f"{KEYED}); CREATE TABLE app.heir () INHERITS (app.it)", "inherit"),
        (f"{KEYED}, value aclitem)", "no binary format"),
    ],
)
def test_what_has_no_one_order_or_no_binary_form_is_refused_with_the_reason(
    source: SourceDatabase, statement: str, reason: str
) -> None:
    source.run(*statement.split(";"))
    with pytest.raises(TableUnreadable, match=reason):
        hashed(source, "it")


def test_rows_that_are_hidden_from_the_role_are_not_left_out_in_silence(
    source: SourceDatabase,
) -> None:
    source.run(
        f"{KEYED})",
        "ALTER TABLE app.it ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY partly ON app.it USING (id > 5)",
    )
    with source.reader() as url, pytest.raises(TableUnreadable, match="not all of its rows"):
        hash_table(source.sources(url), table("it"))


def test_a_table_that_the_role_may_not_read_is_refused(source: SourceDatabase) -> None:
    with source.reader() as url:
        source.run("CREATE TABLE app.later (id integer PRIMARY KEY)")
        with pytest.raises(TableUnreadable, match="not all of its rows"):
            hash_table(source.sources(url), table("later"))


def test_operators_that_somebody_put_in_the_way_are_not_used(source: SourceDatabase) -> None:
    source.run(
        f"{KEYED})",
        """
        CREATE FUNCTION app.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false'
        """,
        "CREATE OPERATOR app.= (LEFTARG = text, RIGHTARG = text, FUNCTION = app.never)",
        "CREATE TABLE app.pg_index (indexrelid oid)",
    )
    with source.reader("search_path = app, pg_catalog") as url:
        assert hash_table(source.sources(url), table("it")).row_count == 0


def test_the_transaction_that_reads_sees_one_state_and_can_write_nothing(
    source: SourceDatabase,
) -> None:
    source.run(f"{KEYED})")
    listed = TableSource.model_validate({"url": source.url, "tables": ["app.*"]})
    with TableSources({})._snapshot(listed) as reader:  # pyright: ignore[reportPrivateUsage]
        isolation = reader.execute("SHOW transaction_isolation").fetchall()
        assert isolation == [{"transaction_isolation": "repeatable read"}]
        with pytest.raises(errors.ReadOnlySqlTransaction), reader.transaction():
            reader.execute("INSERT INTO app.it VALUES (1)")


def test_a_table_that_is_emptied_and_filled_meanwhile_is_never_seen_empty(
    source: SourceDatabase,
) -> None:
    source.run(f"{KEYED})", "INSERT INTO app.it VALUES (1)")
    with psycopg.connect(source.url) as loader, ThreadPoolExecutor(1) as thread:
        loader.execute("TRUNCATE app.it")
        reading = thread.submit(hashed, source, "it")
        wait_for("a reader that waits", lambda: somebody_waits(source.owner))
        loader.execute("INSERT INTO app.it VALUES (2), (3)")
        loader.commit()
        assert reading.result(timeout=30).row_count == 2


def test_a_table_that_stays_locked_is_tried_later(source: SourceDatabase) -> None:
    source.run(f"{KEYED})")
    listed = TableSource.model_validate({"url": source.url, "tables": ["app.*"]})
    with psycopg.connect(source.url) as loader:
        loader.execute("LOCK TABLE app.it")
        with pytest.raises(TableSourceUnavailable, match="let us wait"):
            hash_table(TableSources({"postgis": listed}, lock_seconds=0.05), table("it"))


def test_reading_that_takes_too_long_ends_and_says_what_is_allowed(source: SourceDatabase) -> None:
    source.run(
        "CREATE TABLE app.large (id integer PRIMARY KEY)",
        "INSERT INTO app.large SELECT generate_series(1, 200000)",
    )
    with pytest.raises(TableUnreadable, match=r"longer than the 0\.001 seconds allowed"):
        hash_table(source.sources(statement_timeout_seconds=0.001), table("large"))


def test_a_database_that_is_not_there_is_tried_later() -> None:
    listed = TableSource.model_validate(
        {"url": "postgresql://x:s3cret@127.0.0.1:1/x", "tables": ["app.*"]}
    )
    with pytest.raises(TableSourceUnavailable, match="'postgis' cannot be reached") as fault:
        hash_table(TableSources({"postgis": listed}), table("it"))
    assert "s3cret" not in f"{fault.value} {fault.value.__cause__}"


def test_a_connection_that_is_lost_on_the_way_is_tried_later(source: SourceDatabase) -> None:
    source.run(
        "CREATE TABLE app.large (id integer PRIMARY KEY, value text)",
        "INSERT INTO app.large SELECT id, repeat('v', 1000) FROM generate_series(1, 50000) AS id",
    )
    others = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    with pytest.raises(TableSourceUnavailable):
        source.sources().read(table("large"), lambda _: source.owner.execute(others))
