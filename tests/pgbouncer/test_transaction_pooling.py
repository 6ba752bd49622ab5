"""The registry behind PgBouncer in transaction mode: nothing is its own for longer than that."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.bootstrap import Registry
from shared.database import migrate as migrating
from tests.databases import connected
from tests.deployment import APP, Deployment
from tests.faults.registered import assert_whole
from tests.pgbouncer.clients import ORIGIN, Clients, change, message
from tests.pgbouncer.leftovers import leftovers
from tests.pgbouncer.pooler import SERVER_CONNECTIONS, PgBouncer

THREADS, QUESTIONS = 400, 100
ASSETS = 25
CLIENT = "many"

LATER = """
CREATE TABLE registry.later (number bigint);
ALTER TABLE registry.projects ADD COLUMN later text;
CREATE INDEX artifacts_later ON registry.artifacts (looked_at);
CREATE FUNCTION registry.note_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.later VALUES (NEW.position);
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_note_later AFTER INSERT ON registry.outbox
    FOR EACH ROW EXECUTE FUNCTION registry.note_later();
"""


@pytest.fixture
def sql(deployment: Deployment) -> Iterator[psycopg.Connection[DictRow]]:
    """A connection of nobody that the registry knows, past PgBouncer."""
    with connected(deployment.server.url("registry")) as connection:
        yield connection


@pytest.fixture
def later_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of one more migration, of the kinds that a release has."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrating.MIGRATIONS, folder)
    (folder / "9999-later.sql").write_text(f"SET LOCAL lock_timeout = '5s';\n{LATER}")
    monkeypatch.setattr(migrating, "MIGRATIONS", folder)
    return "9999-later"


def test_500_clients_share_10_connections_while_the_database_is_migrated(
    deployment: Deployment,
    pooler: PgBouncer,
    pooled_url: str,
    later_migration: str,
    sql: psycopg.Connection[DictRow],
) -> None:
    applied: list[str] = []

    def work(registry: Registry, number: int) -> None:
        told = message(CLIENT, number, ASSETS)
        for _ in range(1 + number % 2):
            made = registry.artifacts.register(
                told.registration, ORIGIN, artifact_id=told.artifact_id
            )
            assert made.artifact.artifact_id == told.artifact_id
        change(registry, number, told.artifact_id)

    with Clients(pooled_url, threads=THREADS, questions=QUESTIONS) as clients:
        clients.run(work, beside=lambda: applied.extend(migrating.migrate(deployment.owner)))
        assert applied == [later_migration]
        while clients.registry.audit.relay.number_some():
            pass
        assert clients.registry.artifacts.get_stats(CLIENT).artifact_count == THREADS
        assert _connected(pooler) == (THREADS + QUESTIONS, SERVER_CONNECTIONS)
    assert_whole(sql)
    _assert_all_told(sql)
    assert leftovers(pooled_url) == set()


def test_what_would_be_left_in_a_connection_is_seen(
    deployment: Deployment, pooled_url: str, sql: psycopg.Connection[DictRow]
) -> None:
    """The registry leaves nothing; whoever did would leave it to others, and be found out."""
    with psycopg.connect(pooled_url, autocommit=True, prepare_threshold=None) as careless:
        for statement in (
            "SET statement_timeout = '1h'",
            "SET search_path = registry",
            "PREPARE mine AS SELECT 1",
            "LISTEN mine",
            "SELECT pg_advisory_lock(1)",
            "DECLARE mine CURSOR WITH HOLD FOR SELECT 1",
            "SET ROLE registry_app",
        ):
            careless.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            careless.execute("CREATE TEMPORARY TABLE mine ()")
    assert leftovers(pooled_url) == {
        "setting statement_timeout",
        "setting search_path",
        "role registry_app",
        "prepared statement mine",
        "listening to mine",
        "advisory lock",
        "cursor mine",
    }
    sql.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [APP])


def _connected(pooler: PgBouncer) -> tuple[int, int]:
    """Clients of the app, and the server's connections that they share."""
    with connected(pooler.console) as console:
        clients = console.execute("SHOW CLIENTS").fetchall()
        servers = console.execute("SHOW SERVERS").fetchall()
    return (
        sum(each["user"] == APP for each in clients),
        sum(each["user"] == APP for each in servers),
    )


def _assert_all_told(sql: psycopg.Connection[DictRow]) -> None:
    """Each artifact once, of whose creation is one event; every event has its place in the trail.

    A transaction notes in its connection that it has a number: no other may find that there.
    """
    counted = sql.execute(
        """
        WITH known AS (SELECT * FROM registry.artifact_records WHERE client_type = %s),
        told AS (SELECT event::json AS event FROM registry.trail_waiting),
        created AS (SELECT artifact_id FROM told
                    JOIN known ON artifact_id = CAST(event ->> 'artifact_id' AS uuid)
                    WHERE event ->> 'operation' = 'artifact_creation')
        SELECT count(*) AS artifacts, count(DISTINCT asset_id) AS assets,
            count(*) FILTER (WHERE metadata ? 'number') AS changed,
            (SELECT count(*) FROM registry.ingestion_rules) AS rules,
            (SELECT count(*) FROM created) AS created,
            (SELECT count(DISTINCT artifact_id) FROM created) AS told,
            (SELECT count(*) FROM registry.outbox) AS unnumbered,
            (SELECT count(*) FROM registry.trail) - (SELECT number FROM registry.trail_end) AS gaps,
            EXISTS (SELECT FROM registry.later) AS meets_the_migration
        FROM known
        """,
        [CLIENT],
    ).fetchone()
    assert counted == {
        **dict.fromkeys(("artifacts", "created", "told"), THREADS),
        **dict.fromkeys(("changed", "rules"), THREADS // 20),
        "assets": ASSETS,
        "unnumbered": 0,
        "gaps": 0,
        "meets_the_migration": True,
    }
